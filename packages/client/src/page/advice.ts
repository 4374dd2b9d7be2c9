/** In a page's production build: the code says what to read in the reference. */
export function remedyOf(): undefined {}
