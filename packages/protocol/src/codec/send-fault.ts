import { type Fault, formatPath } from "../issues.js";

/** What to do about a reason, by its beginning. The first row that fits counts. */
const remedies: readonly (readonly [beginning: string, remedy: string])[] = [
  ["is a function", "Leave the member out, or send the result of the function."],
  ["is a symbol", "Send a text instead."],
  ["is an instance of Promise", "Await the promise first."],
  ["is an instance of RegExp", "Send the `source` and the `flags` of the expression."],
  ["is an instance of URL", "Send `String(url)`."],
  ["is an instance of", "Send a plain object, an array or a text with the data that the other side needs."],
  ["is an invalid Date", "Check the date first, or send null."],
  ["is a property", "Copy the value with a spread, or make the property a member with a text as its name."],
  ["is an empty slot", "Fill the array, for example with `Array.from(list)`."],
  ["contains itself", "Send an id in place of the object that refers back."],
  ["holds half", "Cut texts between characters, or repair them with `toWellFormed()`."],
  ["has", "Rename the member."],
  ["is below", "Rename the member called `constructor` or `prototype`."],
  ["is not in the schema", "Declare the type in the schema, or convert the value first."],
  ["is nested", "Flatten the value, or send its parts with ids that connect them."],
  ["cannot be read", "Copy the value into a plain object first. The cause is the error that was thrown."],
];
const SPLIT = "Send the value in several parts.";

/** A sentence that names the member of `value` at `path`, and what to do about it. */
export function sendFault(value: unknown, root: string, path: readonly PropertyKey[], reason: string): Fault {
  const field = formatPath(root, namesIn(value, path));
  const remedy = remedies.find(([part]) => reason.startsWith(part))?.[1] ?? SPLIT;
  return { field, message: `${field}: ${reason}.`, remedy };
}

/**
 * The names of a path as the application knows them: an entry of a Map by its key, where that is a
 * text or a number.
 */
function namesIn(value: unknown, path: readonly PropertyKey[]): PropertyKey[] {
  const names: PropertyKey[] = [];
  let holder = value;
  for (let at = 0; at < path.length; at++) {
    const name = path[at]!;
    if (holder instanceof Map && typeof name === "number" && at + 1 < path.length) {
      const [key, member] = [...(holder as Map<unknown, unknown>)][name]!;
      const isKey = path[++at] === 0;
      if (isKey || !(typeof key === "string" || typeof key === "number")) names.push(name, isKey ? "(key)" : "(value)");
      else names.push(key);
      holder = isKey ? key : member;
    } else {
      names.push(name);
      if (holder instanceof Set) holder = [...(holder as Set<unknown>)][name as number];
      // The last name may be the getter that threw.
      else if (at + 1 < path.length) holder = (holder as Record<PropertyKey, unknown>)[name];
    }
  }
  return names;
}
