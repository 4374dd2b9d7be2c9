/**
 * Shows a fault at its field before anything is sent. `fault` receives the typed text and returns
 * the message, or undefined.
 */
export function check(
  field: HTMLInputElement | HTMLTextAreaElement,
  fault: (typed: string) => string | undefined,
): void {
  field.addEventListener("input", () => field.setCustomValidity(fault(field.value) ?? ""));
}

/**
 * True for a text of spaces. The attribute `required` accepts spaces, but a name needs at least one
 * other character.
 */
export const isBlank = (typed: string): boolean => typed.trim() === "";
