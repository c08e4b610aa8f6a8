/** What a page has and Node has not. */
interface Page {
  addEventListener?(type: string, listener: () => void): void;
  removeEventListener?(type: string, listener: () => void): void;
  readonly document?: { readonly visibilityState: string } & Page;
}

/**
 * Calls `hint` when the network seems to be back, or when the page is seen again. Neither is the truth:
 * browsers say `online` for any network interface, and an open socket survives `offline`.
 *
 * @returns a function that ends it
 */
export function watchHints(hint: () => void): () => void {
  const page = globalThis as unknown as Page;
  // A page that nobody sees can wait its turn.
  const seen = (): void => {
    if (page.document?.visibilityState !== 'hidden') hint();
  };
  page.addEventListener?.('online', seen);
  page.document?.addEventListener?.('visibilitychange', seen);
  return () => {
    page.removeEventListener?.('online', seen);
    page.document?.removeEventListener?.('visibilitychange', seen);
  };
}
