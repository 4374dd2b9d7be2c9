/** Shows a fault at its field before anything is sent. `fault` receives the typed text. */
export function check(
  field: HTMLInputElement | HTMLTextAreaElement,
  fault: (typed: string) => string | undefined,
): void {
  field.addEventListener("input", () => field.setCustomValidity(fault(field.value) ?? ""));
}

/** `required` accepts spaces, but a name needs more. */
export const isBlank = (typed: string): boolean => typed.trim() === "";
