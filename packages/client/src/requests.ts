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
 * The requests that have no answer yet. Each request settles exactly once, whatever happens to the
 * connection (G9).
 */
export interface PendingRequests {
  request(name: string, input?: unknown, options?: WaitOptions): Promise<unknown>;
  setState(state: ConnectionState): void;
  respond(response: ServerMessageOf<"response">): void;
  /** Rejects the request with this id. Returns false if no such request is pending. */
  refuse(correlationId: string | undefined, error: HoldfastError): boolean;
}

/**
 * The most requests that may wait for a connection. The limit bounds memory if an application sends
 * requests in a loop.
 */
const MOST_WAITING = 1_000;
const LONGEST_TIMEOUT_MS = 3_600_000;

/**
 *   queued --sent--> in flight --answer, failure--> settled (and removed)
 *      ^                |
 *      +----------------+  a `query` whose connection drops
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
  /** Returns an error if the frame is larger than the server accepts. */
  readonly fault: Sendable["fault"];
  readonly report: ReportError;
  /** The server's address for error texts, without user, password and query. */
  readonly address: string;
}

export function createRequests(parts: RequestsParts): PendingRequests {
  const { clock } = parts;
  /**
   * In the order of the calls, which is the order of sending. A request that is not in flight
   * waits.
   */
  const calls = new Map<string, PendingRequest>();
  /**
   * The requests that were sent on this connection and have no answer. A request that timed out or
   * was cancelled stays here, because the server still counts the request.
   */
  const inFlight = new Set<string>();
  let state: ConnectionState = { name: "idle" };

  const fail = (id: string, error: HoldfastError, isExpected?: boolean): boolean => {
    calls.get(id)?.reject(error, isExpected);
    return calls.delete(id);
  };

  /**
   * Encodes the request, or rejects the request if the frame is larger than the server accepts. The
   * server would close the connection with 1009, and a query would be sent again after each
   * reconnect.
   */
  const frameOf = (id: string, call: PendingRequest): string | undefined => {
    const { data, meta } = call.input;
    // At least 1 ms, and at most the protocol's limit of one hour. The server stops the handler
    // after this time, because the caller no longer waits.
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
            return waiting.reject(new HoldfastError("UNKNOWN_REQUEST", `${name}: not in the protocol.`));
          }
          const checked = contract.input.send(input, "input");
          if (!checked.ok) return waiting.reject(faultError("INVALID_INPUT", name, checked.fault));
          if (isOver(state)) return waiting.reject(notConnected(state));
          if (calls.size - inFlight.size >= MOST_WAITING) {
            const sentence = `${name}: ${MOST_WAITING} requests are queued.`;
            return waiting.reject(new HoldfastError("LIMIT_EXCEEDED", sentence));
          }
          const call = { ...waiting, contract, input: checked.value };
          calls.set(id, call);
          flush();
          // While the client is ready, a request that is too large rejects at the call, even if
          // other requests are queued before it.
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
          ? new HoldfastError("CONNECTION_LOST", `${contract.name}: connection lost before the answer.`)
          : over;
        if (error) fail(id, error, asked);
      }
      // Requests that are sent again stay ahead of requests that were never sent.
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
