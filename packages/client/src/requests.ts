import {
  type ClientMessage,
  HoldfastError,
  type Protocol,
  type RequestContract,
  type RichValue,
  type ServerMessage,
} from "@holdfast/protocol";
import { type ConnectionState, isOver, notConnected, wasAsked, whyNotYet } from "./connection-state.js";
import { faultError, type ReportError } from "./errors.js";
import type { Cancel, Clock } from "./clock.js";
import { cancelled, type WaitOptions, watchPatience } from "./patience.js";
import type { Sendable } from "./sendable.js";
import { unawaited } from "./unawaited.js";

type Response = Extract<ServerMessage, { type: "response" }>;

/** Remembers the requests that have no answer yet. Each settles exactly once, whatever happens (G9). */
export interface Requests {
  request(name: string, input: unknown, options: WaitOptions): Promise<unknown>;
  setState(state: ConnectionState): void;
  respond(response: Response): void;
  /** Settles the request with this id; false if there is none. */
  refuse(correlationId: string | undefined, error: HoldfastError): boolean;
}

/** How many may wait for a connection. Beyond it something is wrong, and memory should not pay for it. */
const MOST_WAITING = 1_000;
const LONGEST_TIMEOUT_MS = 3_600_000;

/** queued -> in flight -> settled (and out of the table); a `query` whose connection drops goes back to queued. */
interface Call {
  readonly contract: RequestContract;
  readonly input: RichValue;
  /** By the monotonic clock. */
  readonly deadline: number;
  stopWatch: Cancel;
  resolve(output: unknown): void;
  reject(error: HoldfastError): void;
  /** Its rejection is expected: that nothing awaits it is no failure. */
  hush(): void;
}

export interface RequestsParts {
  readonly protocol: Protocol;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly nextId: () => string;
  readonly encode: (message: ClientMessage) => string;
  readonly send: (frame: string) => void;
  /** Why the server would refuse a frame for its size. */
  readonly fault: Sendable["fault"];
  readonly report: ReportError;
  /** Where the client connects to, as an error may say it. */
  readonly address: string;
}

export function createRequests(parts: RequestsParts): Requests {
  const { clock } = parts;
  /** In the order they were made, which is the order they are sent in. */
  const calls = new Map<string, Call>();
  const queued = new Set<string>();
  /** Sent on this connection and not answered, those included whose caller gave up: the server counts them too. */
  const inFlight = new Set<string>();
  let state: ConnectionState = { name: "idle" };

  const take = (id: string): Call | undefined => {
    const call = calls.get(id);
    calls.delete(id);
    queued.delete(id);
    call?.stopWatch();
    return call;
  };

  const fail = (id: string, error: HoldfastError): boolean => {
    const call = take(id);
    call?.reject(error);
    return call !== undefined;
  };

  /** Rejects what the server would close the connection for: a query would be sent again, and again. */
  const frameOf = (id: string, call: Call): string | undefined => {
    const { data, meta } = call.input;
    // At least 1, at most what the protocol allows; the server stops the handler when no one waits any more.
    const timeout_ms = Math.ceil(Math.min(Math.max(call.deadline - clock.monotonic(), 1), LONGEST_TIMEOUT_MS));
    const frame = parts.encode({
      type: "request",
      correlation_id: id,
      data: { name: call.contract.name, input: data, timeout_ms },
      ...(meta !== undefined && { meta }),
    });
    const error = parts.fault(frame, `${call.contract.name}: input`, "input");
    return error && fail(id, error) ? undefined : frame;
  };

  const flush = (): void => {
    if (state.name !== "ready") return;
    const { requestsInFlight } = state.limits;
    for (const id of queued) {
      if (inFlight.size >= requestsInFlight) return;
      queued.delete(id);
      const frame = frameOf(id, calls.get(id)!);
      if (!frame) continue;
      inFlight.add(id);
      parts.send(frame);
    }
  };

  const answered = (id: string): void => {
    if (inFlight.delete(id)) flush();
  };

  return {
    request(name, input, { timeoutMs = parts.timeoutMs, signal }) {
      const contract = parts.protocol.requests.get(name);
      const run = (resolve: (output: unknown) => void, reject: (error: HoldfastError) => void): void => {
        if (!contract) {
          throw new HoldfastError(
            "UNKNOWN_REQUEST",
            `${JSON.stringify(name)} is not a request of the protocol ${parts.protocol.name}.`,
          );
        }
        const checked = contract.input.send(input, "input");
        if (!checked.ok) throw faultError("INVALID_VALUE", name, checked.fault);
        if (signal?.aborted) throw cancelled(name, signal);
        if (isOver(state)) throw notConnected(state);
        if (queued.size >= MOST_WAITING) {
          throw new HoldfastError("LIMIT_EXCEEDED", `${name}: ${MOST_WAITING} requests are waiting already.`);
        }
        const id = parts.nextId();
        const giveUp = (error: HoldfastError): void => {
          if (inFlight.has(id)) parts.send(parts.encode({ type: "cancel", correlation_id: id }));
          fail(id, error);
        };
        const whyNot = (): HoldfastError | undefined => whyNotYet(state, parts.address);
        const stopWatch = watchPatience(name, { timeoutMs, signal }, clock, giveUp, whyNot);
        const call: Call = {
          contract,
          input: checked.value,
          deadline: clock.monotonic() + timeoutMs,
          stopWatch,
          resolve,
          reject,
          hush: () => void promise.catch(() => undefined),
        };
        calls.set(id, call);
        queued.add(id);
        flush();
        // At the call, though others are before it.
        if (state.name === "ready" && queued.has(id)) frameOf(id, call);
      };
      // What `run` throws rejects it, too.
      const promise = unawaited(new Promise<unknown>(run), parts, { request: name });
      return promise;
    },

    setState(next) {
      state = next;
      if (state.name === "ready") return flush();
      const over = isOver(state) ? notConnected(state) : undefined;
      const asked = wasAsked(state);
      for (const [id, call] of calls) {
        if (asked) call.hush();
        const outcomeUnknown = inFlight.has(id) && call.contract.kind !== "query" && !asked;
        if (outcomeUnknown)
          fail(
            id,
            new HoldfastError("CONNECTION_LOST", `${call.contract.name}: the connection dropped before the answer.`),
          );
        else if (over) fail(id, over);
      }
      inFlight.clear();
      // Rebuilt, so that what is sent again keeps its place before what was never sent.
      queued.clear();
      for (const id of calls.keys()) queued.add(id);
    },

    respond({ correlation_id: id, data, meta }) {
      const call = take(id);
      answered(id);
      if (!call) return;
      const { name, output, errors } = call.contract;
      if (data.ok) {
        const checked = output.receive(data.output, meta, "output");
        if (checked.ok) call.resolve(checked.value);
        else call.reject(faultError("INVALID_OUTPUT", name, checked.fault));
        return;
      }
      const declared = errors.get(data.error.code);
      if (!declared) return call.reject(HoldfastError.fromWire(data.error));
      const checked = declared.receive(data.error.data, meta, "error.data");
      if (checked.ok) call.reject(HoldfastError.fromWire({ ...data.error, data: checked.value }));
      else call.reject(faultError("INVALID_OUTPUT", name, checked.fault));
    },

    refuse(id, error) {
      if (id === undefined) return false;
      const found = fail(id, error);
      answered(id);
      return found;
    },
  };
}
