import type * as core from "zod/v4/core";
import type { Fault } from "../issues.js";

/**
 * In a page's production build a message names the field and, if zod reports one, the expected
 * type.
 */
export const wording = {
  error: ({ expected }: { readonly code?: string; readonly expected?: string }): string =>
    expected ? `expected ${expected}` : "is not valid",
} as const;

export function thrownFault(field: string, cause?: unknown): Fault {
  return { field, message: `${field}: is not valid.`, cause };
}

export { thrownFault as restoreFault, thrownFault as undeclaredFault };

export function describeIssue([issue]: readonly core.$ZodIssue[], root: string): Fault {
  const field = formatPath(root, issue!.path);
  return { field, message: `${field}: ${issue!.message}.` };
}

export function formatPath(root: string, path: readonly PropertyKey[]): string {
  return [root, ...path].map(String).join(".");
}

export const memberFault = <Refused>(checked: Refused): Refused => checked;
