import { type Fault, formatPath } from "../issues.js";

/** The remedy for a reason, by the beginning of the reason. The first row that matches applies. */
const remedies: readonly (readonly [beginning: string, remedy: string])[] = [
  ["is a function", "Leave the member out, or send the result of calling the function."],
  ["is a symbol", "Send a string instead."],
  ["is an instance of Promise", "Await the promise first."],
  ["is an instance of RegExp", "Send the `source` and the `flags` of the expression."],
  ["is an instance of URL", "Send `String(url)`."],
  ["is an instance of", "Send a plain object, an array or a string with the data that the other side needs."],
  ["is an invalid Date", "Check the date before you send it, or send null."],
  ["is a property", "Copy the value with a spread, or store the property under a string key."],
  ["is an empty slot", "Fill the array, for example with `Array.from(list)`."],
  ["contains itself", "Send the id of the object that closes the circle, instead of the object."],
  ["holds half", "Cut strings between characters, or repair them with `toWellFormed()`."],
  ["has", "Rename the member."],
  ["is below", "Rename the member called `constructor` or `prototype`."],
  ["is not in the schema", "Declare the type in the schema, or convert the value first."],
  ["is nested", "Flatten the value, or send its parts separately and connect them by ids."],
  ["cannot be read", "Copy the value into a plain object first. `cause` is the error that was thrown."],
];
const SPLIT = "Send the value in several parts.";

/** The fault of the member of `value` at `path`, with the remedy for the reason. */
export function sendFault(value: unknown, root: string, path: readonly PropertyKey[], reason: string): Fault {
  const field = formatPath(root, namesIn(value, path));
  const remedy = remedies.find(([part]) => reason.startsWith(part))?.[1] ?? SPLIT;
  return { field, message: `${field}: ${reason}.`, remedy };
}

/**
 * Translates a path into names that the application knows: an entry of a Map is named by its key if
 * the key is a string or a number.
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
      // The last name is not read, because a getter may throw there.
      else if (at + 1 < path.length) holder = (holder as Record<PropertyKey, unknown>)[name];
    }
  }
  return names;
}
