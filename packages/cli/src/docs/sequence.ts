import { type ClientMessage, type CloseName, closeNumber, type ServerMessage } from "@holdfast/protocol";

/** The actors of a diagram, from left to right. */
export const actors = ["application", "client", "server", "handler"] as const;
export type Actor = (typeof actors)[number];

/**
 * One step of a sequence. A step holds the message itself and derives its label from the message,
 * so a diagram cannot show a frame that the protocol does not have.
 */
export type Step =
  | { readonly kind: "frame"; readonly sentBy: "client"; readonly message: ClientMessage }
  | { readonly kind: "frame"; readonly sentBy: "server"; readonly message: ServerMessage }
  /** A call within one side, or HTTP. `answer` is drawn dashed. */
  | {
      readonly kind: "call";
      readonly from: Actor;
      readonly to: Actor;
      readonly label: string;
      readonly answer?: boolean;
    }
  | { readonly kind: "close"; readonly by: "client" | "server"; readonly code: number; readonly label: string }
  | { readonly kind: "note"; readonly over: Actor; readonly label: string }
  | {
      readonly kind: "either";
      readonly branches: readonly { readonly label: string; readonly steps: readonly Step[] }[];
    };

export interface Sequence {
  readonly id: string;
  readonly title: string;
  /** A description of the sequence. */
  readonly text: string;
  readonly steps: readonly Step[];
}

export const says = {
  client: (message: ClientMessage): Step => ({ kind: "frame", sentBy: "client", message }),
  server: (message: ServerMessage): Step => ({ kind: "frame", sentBy: "server", message }),
};

export function call(from: Actor, to: Actor, label: string): Step {
  return { kind: "call", from, to, label };
}

export function answer(from: Actor, to: Actor, label: string): Step {
  return { kind: "call", from, to, label, answer: true };
}

export function close(by: "client" | "server", name: CloseName, reason = ""): Step {
  const code = closeNumber[name];
  return { kind: "close", by, code, label: `close ${code} ${name}${reason && ` (${reason})`}` };
}

export function note(over: Actor, label: string): Step {
  return { kind: "note", over, label };
}

export function either(...branches: readonly { readonly label: string; readonly steps: readonly Step[] }[]): Step {
  return { kind: "either", branches };
}

/**
 * The label of a frame: the type and the details that distinguish it from other frames of this
 * type.
 */
export function labelOf(message: ClientMessage | ServerMessage): string {
  return [message.type, detailOf(message)].filter(Boolean).join(" ");
}

function detailOf(message: ClientMessage | ServerMessage): string {
  switch (message.type) {
    case "auth":
      return "{ token }";
    case "auth_response":
      return message.data.success ? "success" : message.data.error.code;
    case "connected":
      return "{ session_id, limits, … }";
    case "subscribe":
      return message.data.channels
        .map((entry) =>
          typeof entry === "string" ? entry : `${entry.channel}${entry.position ? ` @${entry.position.offset}` : ""}`,
        )
        .join(", ");
    case "unsubscribe":
      return message.data.channels.join(", ");
    case "subscribe_response":
      return message.data.results
        .map((result) => {
          if (!result.ok) return `${result.channel}: ${result.error.code}`;
          if (result.reset) return `${result.channel}: reset (${result.reset})`;
          return result.missed ? `${result.channel}: ${result.missed.length} missed` : result.channel;
        })
        .join(", ");
    case "unsubscribe_response":
      return message.data.unsubscribed.join(", ");
    case "subscriptions":
      return message.data.channels.join(", ");
    case "request":
      return message.data.name;
    case "response":
      return message.data.ok ? "ok" : message.data.error.code;
    case "event":
      return `${message.channel} ${message.event}${message.metadata?.offset === undefined ? "" : ` #${message.metadata.offset}`}`;
    case "reset":
      return `${message.channel} (${message.data.reason})`;
    case "set_presence":
    case "unsubscribed":
    case "presence":
    case "state_sync":
    case "state_update":
    case "state_deleted":
      return message.channel;
    case "goaway":
      return `in ${message.data.delay_ms} ms`;
    case "error":
      return message.data.code;
    case "ack":
      return message.data.id;
    case "auth_expiring":
    case "cancel":
    case "list_subscriptions":
    case "ping":
    case "pong":
      return "";
    default:
      return message satisfies never;
  }
}

/** All steps in order, including the steps of all branches. */
export function* everyStep(steps: readonly Step[]): Generator<Exclude<Step, { kind: "either" }>> {
  for (const step of steps) {
    if (step.kind === "either") for (const branch of step.branches) yield* everyStep(branch.steps);
    else yield step;
  }
}

/** The actors that take part in a sequence, from left to right. */
export function actorsOf(steps: readonly Step[]): Actor[] {
  const found = new Set<Actor>();
  for (const step of everyStep(steps)) {
    switch (step.kind) {
      case "frame":
      case "close":
        found.add("client").add("server");
        break;
      case "call":
        found.add(step.from).add(step.to);
        break;
      case "note":
        found.add(step.over);
        break;
      default:
        step satisfies never;
    }
  }
  return actors.filter((actor) => found.has(actor));
}
