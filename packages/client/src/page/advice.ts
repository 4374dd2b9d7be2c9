/** In a page's production build errors carry no remedy. Their code leads to the reference. */
export function remedyOf(): undefined {}
