import {
  type ClientMessageOf,
  type Fault,
  HoldfastError,
  isHoldfastError,
  type RequestContract,
  type RichValue,
  type ServerMessage,
  type WireError,
} from "@holdfast/protocol";
import { toWire } from "@holdfast/protocol/internal";
import { isThenable } from "../environment.js";
import type { ServerSettings } from "../settings.js";
import type { Stats } from "../observe/stats.js";
import type { Connection } from "../session/connection.js";
import type { Session } from "../session/session.js";
import { Frame } from "../transport/frame.js";
import { Call } from "../session/calls.js";
import { type Handlers, HandlerRefusal, type RefusalDetails, type UntypedContext } from "./handlers.js";

/**
 * Runs the requests of all connections. Each request is answered exactly once, with an output or an
 * error, unless the connection closes first.
 */
export class Requests {
  readonly #handlers: Handlers;
  readonly #settings: ServerSettings;
  readonly #stats: Stats;
  #isClosing = false;

  constructor(handlers: Handlers, settings: ServerSettings, stats: Stats) {
    this.#handlers = handlers;
    this.#settings = settings;
    this.#stats = stats;
  }

  /** Refuses new requests from now on. Running requests may finish. */
  stopAccepting(): void {
    this.#isClosing = true;
  }

  start(connection: Connection, message: ClientMessageOf<"request">): void {
    const { correlation_id: id, data } = message;
    const call = new Call(connection, id);
    const found = this.#handlers.find(data.name);
    if (!found)
      return this.#refuse(
        call,
        "UNKNOWN_REQUEST",
        `The server has no handler for the request ${JSON.stringify(data.name)}.`,
        "name",
      );
    if (this.#isClosing) return this.#refuse(call, "UNAVAILABLE", "The server is shutting down.");
    const { calls } = connection;
    if (calls.has(id))
      return this.#refuse(
        call,
        "LIMIT_EXCEEDED",
        "A request with this correlation id is running already.",
        "correlation_id",
      );
    if (calls.size >= this.#settings.limits.requestsInFlight)
      return this.#refuse(
        call,
        "LIMIT_EXCEEDED",
        `This connection has ${calls.size} running requests, which is the limit.`,
      );
    const checked = found.contract.input.receive(data.input, message.meta, "input");
    if (!checked.ok) {
      if (checked.fault.cause !== undefined)
        this.#settings.logger.warn({ request: data.name, err: checked.fault.cause }, "input validation failed");
      return this.#refuse(call, "INVALID_INPUT", checked.fault.message, checked.fault.field);
    }

    this.#stats.requests++;
    this.#stats.requestsInFlight++;
    const timeoutMs = Math.min(data.timeout_ms ?? Number.POSITIVE_INFINITY, this.#settings.requestTimeoutMs);
    call.start(this.#settings.environment, timeoutMs, () => {
      this.#fail(call, new HoldfastError("TIMEOUT", `${data.name} took longer than ${timeoutMs} ms.`));
      call.abort("The request timed out.");
    });

    const context = new CallContext(found.contract, checked.value, connection.session as Session, call);
    const fail = (error: unknown): void => {
      try {
        this.#fail(call, error, found.contract);
      } catch (cause) {
        // If JSON cannot hold the data of the refusal, the call fails like any other.
        this.#fail(call, cause, found.contract);
      }
    };
    try {
      const output = this.#handlers.run(found.handler, context);
      if (isThenable(output))
        Promise.resolve(output)
          .then((value) => this.#succeed(call, found.contract, value))
          .catch(fail);
      else this.#succeed(call, found.contract, output);
    } catch (error) {
      fail(error);
    }
  }

  cancel(connection: Connection, id: string): void {
    const call = connection.calls.get(id);
    if (!call) return; // the call was answered while the `cancel` was on its way
    this.#fail(call, new HoldfastError("CANCELLED", "The caller cancelled the request."));
    call.abort("The caller cancelled the request.");
  }

  #succeed(call: Call, contract: RequestContract, output: unknown): void {
    if (call.settled) return;
    const sent = contract.output.send(output, "output");
    if (!sent.ok) {
      this.#settings.logger.error(
        { request: contract.name, ...faultFields(sent.fault), err: sent.fault.cause },
        "handler returned an invalid output",
      );
      const text = `${contract.name} returned an output that its schema does not allow.`;
      return this.#fail(call, new HoldfastError("INVALID_OUTPUT", text));
    }
    const { data, meta } = sent.value as RichValue;
    const answer = encode({
      type: "response",
      correlation_id: call.id,
      data: { ok: true, ...(data !== undefined && { output: data }) },
      ...(meta !== undefined && { meta }),
    });
    // A larger answer would close the connection as too slow, and the client would repeat the query
    // after each reconnect.
    const { owedBytes } = this.#settings.limits;
    if (answer.isLargerThan(owedBytes)) {
      this.#settings.logger.error(
        { request: contract.name, limitBytes: owedBytes },
        "handler returned an output above the limit",
      );
      const text = `${contract.name} returned an output that is too large to send.`;
      return this.#fail(call, new HoldfastError("INVALID_OUTPUT", text));
    }
    this.#settle(call, answer);
  }

  #fail(call: Call, error: unknown, contract?: RequestContract): void {
    if (call.settled) return;
    const { wire, meta } = this.#explain(error, contract);
    const answer = encode({
      type: "response",
      correlation_id: call.id,
      data: { ok: false, error: wire },
      ...(meta !== undefined && { meta }),
    });
    this.#stats.error(wire.code);
    this.#settle(call, answer);
  }

  /** Returns the part of an error that the caller may read. */
  #explain(error: unknown, contract: RequestContract | undefined): { wire: WireError; meta?: unknown } {
    const meant = error instanceof HandlerRefusal || (contract === undefined && isHoldfastError(error));
    if (!meant) {
      this.#settings.logger.error({ request: contract?.name, err: error }, "handler failed");
      // Errors of libraries stay in the log. The caller receives INTERNAL, or UNAVAILABLE if that
      // is the error's code, because the caller can then retry.
      const code = isHoldfastError(error) && error.code === "UNAVAILABLE" ? "UNAVAILABLE" : "INTERNAL";
      return { wire: toWire(new HoldfastError(code, `${contract?.name ?? "The request"} failed.`)) };
    }
    const wire = toWire(error);
    const schema = contract?.errors.get(error.code);
    if (!schema) return { wire };
    const sent = schema.send(error.data, "data");
    if (!sent.ok) {
      this.#settings.logger.error(
        { request: contract?.name, code: error.code, ...faultFields(sent.fault) },
        "handler refused with invalid error data",
      );
      return {
        wire: toWire(
          new HoldfastError(
            "INVALID_OUTPUT",
            `${contract?.name} failed with error data that the error's schema does not allow.`,
          ),
        ),
      };
    }
    const { data, meta } = sent.value;
    return { wire: { ...wire, data }, meta };
  }

  #settle(call: Call, answer: Frame): void {
    // If sending has closed the connection, closing has already subtracted the call.
    if (call.answer(answer)) this.#stats.requestsInFlight--;
  }

  #refuse(call: Call, code: string, message: string, field?: string): void {
    this.#stats.error(code);
    const error = toWire(new HoldfastError(code, message, { field }));
    call.refuse({ type: "response", correlation_id: call.id, data: { ok: false, error } });
  }
}

/** The fields of a log entry that describe an invalid value. */
function faultFields({ field, message, remedy }: Fault): object {
  return { field, fault: message, remedy };
}

/**
 * Encodes an answer before its call is settled. If encoding throws, the call can still be answered.
 */
function encode(answer: ServerMessage & { type: "response" }): Frame {
  return new Frame(JSON.stringify(answer));
}

/**
 * The context that a handler receives. A class, because the getter creates the abort signal only
 * when a handler reads the property.
 */
class CallContext implements UntypedContext {
  readonly #contract: RequestContract;
  readonly #call: Call;

  constructor(
    contract: RequestContract,
    readonly input: unknown,
    readonly session: Session,
    call: Call,
  ) {
    this.#contract = contract;
    this.#call = call;
    // Handlers destructure their context: `({ input, error }) => …`.
    this.error = this.error.bind(this);
  }

  get name(): string {
    return this.#contract.name;
  }

  get kind(): RequestContract["kind"] {
    return this.#contract.kind;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }

  error(code: string, dataOrMessage: unknown, messageOrDetails?: unknown): HoldfastError {
    if (this.#contract.errors.has(code)) {
      const message = typeof messageOrDetails === "string" ? messageOrDetails : `${this.name} was refused: ${code}.`;
      return new HandlerRefusal(code, message, { data: dataOrMessage, remedy: undefined });
    }
    return new HandlerRefusal(code, String(dataOrMessage), (messageOrDetails ?? {}) as RefusalDetails);
  }
}
