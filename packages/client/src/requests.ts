import {
  type ClientMessage,
  HoldfastError,
  type Protocol,
  type RequestContract,
  type RichValue,
  type ServerMessageOf,
} from "@holdfast/protocol";
import type { ConnectionState } from "./connection-state.js";
import { isOver, notConnected, wasAsked, whyNotYet } from "./connection-status.js";
import { faultError, type ReportError } from "./errors.js";
import type { Clock } from "./clock.js";
import { type PatientCall, patiently, type WaitOptions } from "./patience.js";
import type { Sendable } from "./sendable.js";

/**
 * Remembers the requests that have no answer yet. Each settles exactly once, whatever happens (G9).
 */
export interface PendingRequests {
  request(name: string, input?: unknown, options?: WaitOptions): Promise<unknown>;
  setState(state: ConnectionState): void;
  respond(response: ServerMessageOf<"response">): void;
  /** Settles the request with this id; false if there is none. */
  refuse(correlationId: string | undefined, error: HoldfastError): boolean;
}

/**
 * How many may wait for a connection. Beyond it something is wrong, and memory should not pay for
 * it.
 */
const MOST_WAITING = 1_000;
const LONGEST_TIMEOUT_MS = 3_600_000;

/**
 * queued -> in flight -> settled (and out of the table); a `query` whose connection drops goes back
 * to queued.
 */
interface PendingRequest extends PatientCall<unknown> {
  readonly contract: RequestContract;
  readonly input: RichValue;
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

export function createRequests(parts: RequestsParts): PendingRequests {
  const { clock } = parts;
  /**
   * In the order they were made, which is the order they are sent in. What is not in flight waits.
   */
  const calls = new Map<string, PendingRequest>();
  /**
   * Sent on this connection and not answered, those included whose caller gave up: the server
   * counts them too.
   */
  const inFlight = new Set<string>();
  let state: ConnectionState = { name: "idle" };

  const fail = (id: string, error: HoldfastError, isExpected?: boolean): boolean => {
    calls.get(id)?.reject(error, isExpected);
    return calls.delete(id);
  };

  /**
   * Rejects what the server would close the connection for: a query would be sent again, and again.
   */
  const frameOf = (id: string, call: PendingRequest): string | undefined => {
    const { data, meta } = call.input;
    // At least 1, at most what the protocol allows; the server stops the handler when no one waits
    // any more.
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
    for (const [id, call] of calls) {
      if (inFlight.size >= state.limits.requestsInFlight) return;
      const frame = inFlight.has(id) ? undefined : frameOf(id, call);
      if (!frame) continue;
      inFlight.add(id);
      parts.send(frame);
    }
  };

  const answered = (id: string): void => {
    if (inFlight.delete(id)) flush();
  };

  return {
    request(name, input, options) {
      const id = parts.nextId();
      return patiently<unknown>({ request: name }, options, {
        ...parts,
        whyNot: () => whyNotYet(state, parts.address),
        begin(waiting) {
          const contract = parts.protocol.requests.get(name);
          if (!contract) {
            return waiting.reject(new HoldfastError("UNKNOWN_REQUEST", `${name}: is not in the protocol.`));
          }
          const checked = contract.input.send(input, "input");
          if (!checked.ok) return waiting.reject(faultError("INVALID_INPUT", name, checked.fault));
          if (isOver(state)) return waiting.reject(notConnected(state));
          if (calls.size - inFlight.size >= MOST_WAITING) {
            const sentence = `${name}: ${MOST_WAITING} requests wait.`;
            return waiting.reject(new HoldfastError("LIMIT_EXCEEDED", sentence));
          }
          const call = { ...waiting, contract, input: checked.value };
          calls.set(id, call);
          flush();
          // At the call, though others are before it.
          if (state.name === "ready" && calls.has(id) && !inFlight.has(id)) frameOf(id, call);
        },
        giveUp(error) {
          if (inFlight.has(id)) parts.send(parts.encode({ type: "cancel", correlation_id: id }));
          fail(id, error);
        },
      });
    },

    setState(next) {
      state = next;
      if (state.name === "ready") return flush();
      const over = isOver(state) ? notConnected(state) : undefined;
      const asked = wasAsked(state);
      for (const [id, { contract }] of calls) {
        const isLost = inFlight.has(id) && contract.kind !== "query" && !asked;
        const error = isLost
          ? new HoldfastError("CONNECTION_LOST", `${contract.name}: the connection dropped before the answer.`)
          : over;
        if (error) fail(id, error, asked);
      }
      // What is sent again keeps its place before what was never sent.
      inFlight.clear();
    },

    respond({ correlation_id: id, data, meta }) {
      const call = calls.get(id);
      calls.delete(id);
      answered(id);
      if (!call) return;
      const { name, output, errors } = call.contract;
      const [schema, sent, field] = data.ok
        ? [output, data.output, "output"]
        : [errors.get(data.error.code), data.error.data, "error.data"];
      const checked = schema?.receive(sent, meta, field);
      if (checked?.ok === false) call.reject(faultError("INVALID_OUTPUT", name, checked.fault));
      else if (data.ok) call.resolve(checked?.value);
      else call.reject(HoldfastError.fromWire({ ...data.error, ...(checked && { data: checked.value }) }));
    },

    refuse(id = "", error) {
      const found = fail(id, error);
      answered(id);
      return found;
    },
  };
}
