/** The way from the sockets to the business. */
export const BUSINESS = Symbol('business');
