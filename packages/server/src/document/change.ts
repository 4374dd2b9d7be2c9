import { type ChannelId, HoldfastError } from "@holdfast/protocol";
import { canonicalJson, deepCopy } from "@holdfast/protocol/internal";
import { isThenable } from "../environment.js";
import { contentOf, readContent } from "./content.js";
import type { DocumentContent } from "./document.js";

/**
 * What the application's function makes of a document: of a draft that it changes, or something
 * else that it returns.
 *
 * @throws HoldfastError INVALID_VALUE, LIMIT_EXCEEDED; and what the function throws
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
    throw invalid(id, "the change must not be asynchronous", "Fetch what it needs before.");
  }
  // `(draft) => draft.count++` returns a number, and no document is one.
  if (typeof result !== "object" || result === null || result === draft) return contentOf(id, draft, mostBytes);
  // `(draft) => draft.cards.splice(0, 1)` would replace the document by what was taken out of it.
  if (isChanged(id, before, draft))
    throw invalid(
      id,
      "the change has changed the draft, and returned another object",
      "Do one or the other; braces keep an arrow function from returning: (draft) => { draft.cards.pop(); }.",
    );
  return contentOf(id, result, mostBytes);
}

function isChanged(id: ChannelId, before: unknown, draft: unknown): boolean {
  const textOf = (value: unknown): string => canonicalJson(contentOf(id, value, Number.POSITIVE_INFINITY));
  try {
    return textOf(draft) !== textOf(before);
  } catch {
    // It can be no document any more.
    return true;
  }
}

function invalid({ wire }: ChannelId, sentence: string, remedy: string): HoldfastError {
  return new HoldfastError("INVALID_VALUE", `${wire}: update: ${sentence}.`, { field: "update", remedy });
}
