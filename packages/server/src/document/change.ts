import { type ChannelId, HoldfastError } from "@holdfast/protocol";
import { canonicalJson, deepCopy } from "@holdfast/protocol/internal";
import { isThenable } from "../environment.js";
import { contentOf, readContent } from "./content.js";
import type { DocumentContent } from "./document.js";

/**
 * Applies the application's `change` function to a copy of the document. The new document is the
 * changed draft, or another object that the function returns.
 *
 * @throws HoldfastError INVALID_VALUE, LIMIT_EXCEEDED, INTERNAL; and every error of the function
 */
export function changedContent(
  id: ChannelId,
  content: DocumentContent,
  change: (draft: unknown) => unknown,
  mostBytes: number,
): DocumentContent {
  const before = readContent(id, content);
  const draft = deepCopy(before);
  const result = change(draft);
  if (isThenable(result)) {
    void Promise.resolve(result).catch(() => undefined);
    throw invalid(id, "the change function must not be asynchronous", "Load the data before you call `update`.");
  }
  // `(draft) => draft.count++` returns a number, which is never a document.
  if (typeof result !== "object" || result === null || result === draft) return contentOf(id, draft, mostBytes);
  // `(draft) => draft.cards.splice(0, 1)` would replace the document with the removed cards.
  if (isChanged(id, before, draft))
    throw invalid(
      id,
      "the change function has changed the draft and returned another object",
      "Do not do both. With braces, an arrow function returns nothing: (draft) => { draft.cards.pop(); }.",
    );
  return contentOf(id, result, mostBytes);
}

function isChanged(id: ChannelId, before: unknown, draft: unknown): boolean {
  const textOf = (value: unknown): string => canonicalJson(contentOf(id, value, Number.POSITIVE_INFINITY));
  try {
    return textOf(draft) !== textOf(before);
  } catch {
    // The draft is no longer a valid document, so it was changed.
    return true;
  }
}

function invalid({ wire }: ChannelId, sentence: string, remedy: string): HoldfastError {
  return new HoldfastError("INVALID_VALUE", `${wire}: update: ${sentence}.`, { field: "update", remedy });
}
