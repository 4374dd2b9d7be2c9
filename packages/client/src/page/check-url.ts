/** In a page's production build: whoever wrote the address has tried it. */
export function checkUrl(): void {}
