/**
 * In a page's production build errors carry no remedy. The guide to errors has one for each code.
 */
export function remedyOf(): undefined {}
