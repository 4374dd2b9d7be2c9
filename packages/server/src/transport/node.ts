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

/** A peer that does not answer the server's close frame is cut off after this time. */
const CLOSE_TIMEOUT_MS = 1_000;
/**
 * The same for a peer that is not authenticated. With the default of 5 s for authentication, the
 * peer is gone within 5.5 s.
 */
const DISMISS_TIMEOUT_MS = 250;

export interface NodeTransportOptions {
  readonly path: string;
  readonly maxMessageBytes: number;
  /** How long an upgrade may wait for `authenticate`. Milliseconds. Node itself sets no limit. */
  readonly upgradeTimeoutMs: number;
  readonly logger: Logger;
}

/**
 * Takes over the WebSocket upgrades of one path of a Node http(s) server. Returns a function that
 * releases the path. Only this file, `upgrade.ts` and `throttled-handshake.ts` know `ws` and the
 * sockets of Node.
 */
export function attachToNode(http: HttpServer, admit: Admission, options: NodeTransportOptions): () => void {
  const wsOptions: WsOptions & { closeTimeout: number } = {
    noServer: true,
    clientTracking: false,
    maxPayload: options.maxMessageBytes,
    // ws allows 16,384 fragments and 262,144 chunks per message, which would cost megabytes of
    // bookkeeping for a few bytes of payload.
    maxFragments: 64,
    maxBufferedChunks: 1_024,
    // Compression takes 25 times the memory of an idle connection. The frames written here also
    // bypass the part of ws that would compress them.
    perMessageDeflate: false,
    closeTimeout: CLOSE_TIMEOUT_MS,
    // The admission has chosen the subprotocol; ws only has to repeat the choice in the answer.
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
    // Until ws has the socket, an error without a listener would end the process.
    raw.on("error", ignore);
    // ws would also accept version 8, a draft of RFC 6455 without its protections. ws itself
    // refuses all other versions.
    if (request.headers["sec-websocket-version"] === "8")
      return refuseUpgrade(raw, 400, "The server supports WebSocket version 13 only.");
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
        // Otherwise the listener would keep the request in memory for as long as the connection is
        // open.
        raw.off("close", stop);
        if (raw.destroyed) return;
        if (verdict.kind === "refuse") refuseUpgrade(raw, verdict.status, verdict.message);
        else accept(request, raw, head, verdict);
      })
      // ws throws if another listener of the http server has taken the socket. The socket then
      // belongs to that listener and must not be touched.
      .catch((error: unknown) => options.logger.error({ err: error }, "upgrade failed"));
  });
}

/**
 * Returns the headers with all Host headers. `headers` of Node keeps only the first Host header.
 */
function headersOf({
  headers,
  headersDistinct,
}: IncomingMessage): IncomingMessage["headers"] | UpgradeRequest["headers"] {
  const host = headersDistinct["host"];
  return host && host.length > 1 ? { ...headers, host } : headers;
}

const ignore = (): void => {};

/**
 * ws calls its listeners with the socket as `this`. All connections share the same listener
 * functions, so a connection creates none of its own.
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
  // ws closes the connection after an error and passes the code to `close`.
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
    // Writes directly to the TCP socket. ws would cork the socket and write header and payload
    // separately, which doubles the cost. This is safe because every data frame takes this path,
    // uncompressed and unfragmented, so ws never writes in the middle of a frame.
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
