/**
 * Says at the field what is wrong with it, before anything is sent. `fault` is told what has been
 * typed.
 */
export function check(
  field: HTMLInputElement | HTMLTextAreaElement,
  fault: (typed: string) => string | undefined,
): void {
  field.addEventListener("input", () => field.setCustomValidity(fault(field.value) ?? ""));
}

/** Spaces are something to `required`, but they are no name. */
export const isBlank = (typed: string): boolean => typed.trim() === "";
