/** In a page's production build: the remedies of the error-code table say enough. */
export const advice: Partial<Record<string, never>> = {};
