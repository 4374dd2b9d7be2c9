import { closeNumber, type HoldfastError } from "@holdfast/protocol";
import { CORRECT_THE_NAME, isPlainObject, kindOf, optionError, unknownOption } from "../call-options.js";

/** How a session ends. */
export interface DisconnectOptions {
  /**
   * The WebSocket close code: 1000 to 1014 except 1004, 1005 and 1006, or 3000 to 4999. The code
   * tells the client whether to reconnect: 4403 and 4900 to 4999 stop the client; with 4800 to 4899
   * the client reconnects and begins a new session.
   * @default 4403
   */
  readonly code?: number | undefined;
  /**
   * The reason that the client receives. A close frame carries its first 123 bytes.
   * @default "disconnected by the server"
   */
  readonly reason?: string | undefined;
}

type OptionName = keyof DisconnectOptions | "where";

/**
 * A call that ends sessions: its options with defaults, and the remedy for each option that belongs
 * to another call.
 */
interface EndingCall {
  readonly name: "disconnect" | "revoke";
  readonly options: readonly OptionName[];
  readonly code: number;
  readonly reason: string;
  readonly instead: { readonly [option: string]: string };
}

const disconnect = { name: "disconnect", code: closeNumber.FORBIDDEN, reason: "disconnected by the server" } as const;
const whereOfUser = "Use `server.user(id).disconnect({ where })`, which chooses among the sessions of a user.";

export const endingCalls = {
  user: { ...disconnect, options: ["code", "reason", "where"], instead: {} },
  session: { ...disconnect, options: ["code", "reason"], instead: { where: whereOfUser } },
  revoke: {
    name: "revoke",
    options: ["reason"],
    code: closeNumber.UNAUTHENTICATED,
    reason: "the session was revoked",
    instead: { code: "Use `disconnect({ code, reason })` to choose the code.", where: whereOfUser },
  },
} satisfies { readonly [call: string]: EndingCall };

/**
 * Validates the options of a call that ends sessions. The function receives all arguments of the
 * call. If it ignored a second argument, such as a condition, too many sessions would end.
 *
 * @throws HoldfastError INVALID_OPTION, naming the option
 */
export function endingOptions(
  call: EndingCall,
  [options = {}, ...rest]: readonly unknown[],
): { readonly code: number; readonly reason: string; readonly where: unknown } {
  const given = [options, ...rest];
  if (given.length > 1 || !isPlainObject(options)) {
    const form = `Pass the options by their names: \`${call.name}({ ${byName(call, given)} })\`.`;
    throw wrong(call, "options", `expected one plain object, received ${given.map(kindOf).join(", ")}`, form);
  }
  const unknown = unknownOption(options, call.options);
  if (unknown) {
    const { name, sentence } = unknown;
    throw wrong(call, name, sentence, Object.hasOwn(call.instead, name) ? call.instead[name] : CORRECT_THE_NAME);
  }
  const { code = call.code, reason = call.reason, where } = options as { readonly [Name in OptionName]?: unknown };
  const fault = codeFault(code);
  if (fault !== undefined) throw wrong(call, "code", fault, CODES);
  if (typeof reason !== "string")
    throw wrong(call, "reason", `expected a string, received ${kindOf(reason)}`, "Pass a string, or leave it out.");
  return { code: code as number, reason, where };
}

const CODES = "Pass 4403 or 4900 to 4999 to stop the client, or 4800 to 4899 to make it retry.";

/**
 * Returns the error sentence for a code that cannot be sent; undefined if the code is valid. The
 * socket refuses an invalid code too, but only after the connection has left its channels. The
 * connection would then stay open.
 */
function codeFault(code: unknown): string | undefined {
  if (typeof code !== "number") return `expected a close code, received ${kindOf(code)}`;
  // RFC 6455, section 7.4, and the IANA registry: 1004 is reserved; 1005 and 1006 stand for a close
  // without a code.
  const canTravel =
    Number.isInteger(code) && ((code >= 3000 && code <= 4999) || (code >= 1000 && code <= 1014 && !unsent.has(code)));
  return canTravel ? undefined : `${code} is not a close code that may be sent`;
}
const unsent: ReadonlySet<number> = new Set([1004, 1005, 1006]);

/**
 * Returns the given arguments as named options, for the remedy if arguments were passed by
 * position: `code: 4403, reason: "logged out", where`. If the first argument is a string, it is the
 * reason. A value that the option would refuse is replaced by the option's name, so the text can be
 * pasted.
 */
function byName(call: EndingCall, given: readonly unknown[]): string {
  const names =
    typeof given[0] === "string" ? ["reason", ...call.options.filter((name) => name !== "reason")] : call.options;
  const parts = names.slice(0, given.length).map((name, position) => {
    const value = given[position];
    if (name === "code" && typeof value === "number" && codeFault(value) === undefined) return `code: ${value}`;
    const fits = name === "reason" && typeof value === "string" && value.length <= 123;
    return fits ? `reason: ${JSON.stringify(value)}` : name;
  });
  return parts.join(", ");
}

function wrong({ name }: EndingCall, field: string, sentence: string, remedy: string | undefined): HoldfastError {
  return optionError(name, field, sentence, remedy);
}
