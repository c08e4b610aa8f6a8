// Of this tab alone: a reload stays, and two tabs may be two people.
const KEY = 'auction.name';

export const user = () => sessionStorage.getItem(KEY);
export const keep = (name) => sessionStorage.setItem(KEY, name);
export const forget = () => sessionStorage.removeItem(KEY);
