import type { IncomingMessage, Server as HttpServer } from "node:http";
import type { Duplex } from "node:stream";
import type { Logger } from "../observe/logger.js";
import { type RawData, type ServerOptions as WsOptions, type WebSocket, WebSocketServer } from "ws";
import type { Batch } from "./frame.js";
import {
  type Admission,
  closeReason,
  type ServerSocket,
  type SocketOwner,
  type UpgradeRequest,
  type AdmissionVerdict,
} from "./socket.js";
import { handOutInPieces } from "./throttled-handshake.js";
import { refuseUpgrade, routeUpgrades } from "./upgrade.js";

/** A peer that does not answer our close frame is cut off after this. */
const CLOSE_TIMEOUT_MS = 1_000;
/**
 * One that nobody knows has less: with the 5 s it may take to authenticate, it is gone within 5.5
 * s.
 */
const DISMISS_TIMEOUT_MS = 250;

export interface NodeTransportOptions {
  readonly path: string;
  readonly maxMessageBytes: number;
  /** How long an upgrade may wait for `authenticate`. Node itself sets no limit. */
  readonly upgradeTimeoutMs: number;
  readonly logger: Logger;
}

/**
 * Takes over the WebSocket upgrades of one path of a Node http(s) server. Returns a function that
 * lets go of it again. This file and `upgrade.ts` are the only ones that know `ws` and `node:http`.
 */
export function attachToNode(http: HttpServer, admit: Admission, options: NodeTransportOptions): () => void {
  const wsOptions: WsOptions & { closeTimeout: number } = {
    noServer: true,
    clientTracking: false,
    maxPayload: options.maxMessageBytes,
    // ws allows 16,384 fragments and 262,144 chunks a message: megabytes of bookkeeping for a few
    // bytes of payload.
    maxFragments: 64,
    maxBufferedChunks: 1_024,
    // Compression costs 25 times the memory of an idle connection, and our frames bypass the sender
    // that would do it.
    perMessageDeflate: false,
    closeTimeout: CLOSE_TIMEOUT_MS,
    // The verdict has chosen; ws only has to repeat it in the answer.
    handleProtocols: (_offered, request) => chosen.get(request) ?? false,
  };
  const ws = new WebSocketServer(wsOptions);
  const chosen = new WeakMap<IncomingMessage, string>();

  const accept = (
    request: IncomingMessage,
    raw: Duplex,
    head: Buffer,
    verdict: Exclude<AdmissionVerdict, { kind: "refuse" }>,
  ) => {
    if (verdict.subprotocol) chosen.set(request, verdict.subprotocol);
    ws.handleUpgrade(request, raw, head, (socket) => {
      if (verdict.kind === "close") {
        socket.on("error", () => {});
        socket.close(verdict.code, closeReason(verdict.reason));
      } else {
        open(socket, raw, request.socket.remoteAddress ?? "", verdict.open);
      }
    });
  };

  return routeUpgrades(http, options.path, (request, raw, head) => {
    // Until ws has the socket an error on it would be nobody's, and end the process.
    raw.on("error", ignore);
    // ws would also take 8, a draft without what RFC 6455 was made for; anything else it refuses by
    // itself.
    if (request.headers["sec-websocket-version"] === "8")
      return refuseUpgrade(raw, 400, "The WebSocket version is 13.");
    const deadline = setTimeout(() => refuseUpgrade(raw, 503, "The upgrade took too long."), options.upgradeTimeoutMs);
    const stop = () => clearTimeout(deadline);
    raw.once("close", stop);
    admit({
      url: request.url ?? "/",
      headers: headersOf(request),
      remoteAddress: request.socket.remoteAddress ?? "",
    })
      .then((verdict) => {
        stop();
        raw.off("close", stop); // it would keep the request for as long as the connection lasts
        if (raw.destroyed) return;
        if (verdict.kind === "refuse") refuseUpgrade(raw, verdict.status, verdict.message);
        else accept(request, raw, head, verdict);
      })
      // ws throws when another listener of the http server has taken the socket. It is theirs then:
      // hands off.
      .catch((error: unknown) => options.logger.error({ err: error }, "an upgrade could not be completed"));
  });
}

/** Node keeps the first Host and drops the others. */
function headersOf({
  headers,
  headersDistinct,
}: IncomingMessage): IncomingMessage["headers"] | UpgradeRequest["headers"] {
  const host = headersDistinct["host"];
  return host && host.length > 1 ? { ...headers, host } : headers;
}

const ignore = (): void => {};

/**
 * ws calls its listeners with the socket as `this`: five functions for all connections instead of
 * five for each.
 */
type Owned = WebSocket & { owner: SocketOwner };

function open(
  socket: WebSocket,
  raw: Duplex,
  remoteAddress: string,
  start: (socket: ServerSocket) => SocketOwner,
): void {
  const owned = socket as Owned;
  owned.binaryType = "nodebuffer";
  // ws closes the connection by itself and passes the code to `close`.
  owned.on("error", ignore);
  const nodeSocket = new NodeSocket(socket, raw, remoteAddress);
  owned.owner = start(nodeSocket);
  if (owned.owner.isHandshaking) handOutInPieces(raw, socket, owned.owner, () => nodeSocket.isDismissed);
  owned.on("message", onMessage);
  owned.on("ping", onPing);
  owned.on("close", onClose);
}

function onMessage(this: WebSocket, data: RawData, isBinary: boolean): void {
  const bytes = data as Buffer;
  (this as Owned).owner.onFrame(isBinary ? bytes : bytes.toString());
}

function onPing(this: WebSocket): void {
  (this as Owned).owner.onPing();
}

function onClose(this: WebSocket, code: number): void {
  (this as Owned).owner.onClosed(code);
}

class NodeSocket implements ServerSocket {
  readonly #ws: WebSocket;
  readonly #raw: Duplex;
  isDismissed = false;

  constructor(
    ws: WebSocket,
    raw: Duplex,
    readonly remoteAddress: string,
  ) {
    this.#ws = ws;
    this.#raw = raw;
  }

  get bufferedBytes(): number {
    return this.#raw.writableLength;
  }

  write(batch: Batch): void {
    // Straight to the TCP socket: ws would cork it and write header and payload apart, which costs
    // as much again. Safe because every data frame takes this path, uncompressed and unfragmented,
    // so ws never stands between two pieces.
    if (this.#ws.readyState === this.#ws.OPEN && this.#raw.writable) this.#raw.write(batch.bytes);
  }

  close(code: number, reason: string): void {
    this.#ws.close(code, closeReason(reason));
  }

  dismiss(code: number, reason: string): void {
    this.isDismissed = true;
    this.close(code, reason);
    const cutOff = setTimeout(() => this.terminate(), DISMISS_TIMEOUT_MS);
    this.#ws.once("close", () => clearTimeout(cutOff));
  }

  terminate(): void {
    this.#ws.terminate();
  }

  pause(): void {
    this.#ws.pause();
  }

  resume(): void {
    this.#ws.resume();
  }
}
