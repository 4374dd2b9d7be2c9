/** In a page's production build: the remedies of the error-code table say enough. */
export function remedyOf(): undefined {}
