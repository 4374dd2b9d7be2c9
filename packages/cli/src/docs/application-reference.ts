import type { Protocol } from "@holdfast/protocol";
import { fingerprint } from "@holdfast/protocol/describe";
import { wireMessages } from "@holdfast/protocol/wire";
import type { Application, DocumentedValue } from "./application.js";
import { setUpCall, variableOf } from "./calls.js";
import { channelsSection, directSection } from "./channel-sections.js";
import { code, framesFold, type Reference, type Section, sequenceSection, table, text } from "./reference.js";
import { requestsSection } from "./request-sections.js";
import { type Cast, EXAMPLE_CAST } from "./cast.js";
import { sequencesOf } from "./sequences.js";
import {
  addressBlocks,
  closeCodeSection,
  credentialSection,
  errorCodeSection,
  notServedYet,
  richValueSection,
  shapeSection,
} from "./shared-sections.js";
import { valueFields } from "./value-fields.js";

/**
 * The reference of an application's protocol: requests, channels and direct events with typed
 * calls, then the connection.
 */
export function applicationReference(protocol: Protocol, application: Application, server: string): Reference {
  const sequences = sequencesOf(castOf(protocol, application));
  const about = (...ids: string[]) => sequences.filter(({ id }) => ids.includes(id));
  const { name, version, description, requests, channels, direct } = application;
  return {
    title: name,
    subtitle: `Version ${version}, fingerprint ${fingerprint(protocol)}`,
    introduction: [...(description ? [text(description)] : []), text(summary(application))],
    sections: [
      connectingSection(application, server),
      ...(requests.length > 0 ? [requestsSection(name, requests, about("request-and-cancel"))] : []),
      ...(channels.length > 0
        ? [channelsSection(channels, about("subscribe-and-publish", "resume-or-reset", "presence"))]
        : []),
      ...(direct.length > 0 ? [directSection(direct, about("send-to-devices"))] : []),
      {
        id: "connection",
        title: "The life of a connection",
        blocks: [
          text("Every frame on the wire is one of these messages."),
          table(
            ["Message", "Sent by", "When"],
            wireMessages.map(({ type, sentBy, sentWhen }) => [code(type), sentBy, sentWhen]),
          ),
          notServedYet(),
        ],
        sections: [
          credentialSection(about("connect-with-a-token", "connect-with-a-cookie")),
          ...about("heartbeat", "renew-a-credential", "continue-a-session", "refusal", "restart").map(sequenceSection),
        ],
      },
      ...(isRich(application) ? [richValueSection()] : []),
      shapeSection(),
      closeCodeSection(),
      errorCodeSection(),
    ],
  };
}

/** The diagrams use the application's first channel and first request. */
function castOf(protocol: Protocol, { name, version, channels, requests, direct }: Application): Cast {
  const channel = channels.find(({ events }) => events.length > 0);
  const event = channel?.events[0];
  const request = requests.find(({ input }) => input) ?? requests[0];
  const room = channels.find(({ presence }) => presence);
  const [sent] = direct;
  return {
    ...EXAMPLE_CAST,
    direct: sent && { event: sent.name, data: sent.value.examples[0].data },
    presence: room?.presence && { channel: room.wireExample, data: room.presence.examples[0] },
    protocol: name,
    version,
    fingerprint: fingerprint(protocol),
    ...(channel &&
      event && { channel: channel.wireExample, event: event.name, eventData: event.value.examples[0].data }),
    ...(request && {
      request: request.name,
      input: request.input?.examples[0].data,
      output: request.output?.examples[0].data,
    }),
  };
}

function summary({ requests, channels, direct }: Application): string {
  const count = (many: readonly unknown[], one: string) =>
    many.length > 0 ? [`${many.length} ${many.length === 1 ? one : `${one}s`}`] : [];
  const counts = [count(requests, "request"), count(channels, "channel"), count(direct, "direct event")].flat();
  return `${counts.join(", ") || "Nothing yet"}.`;
}

function connectingSection(application: Application, server: string): Section {
  const { name, parameters } = application;
  const query = parameters ? queryOf(parameters) : "";
  return {
    id: "connecting",
    title: "Connecting",
    blocks: [
      text(
        `In the calls below, ${code("client")} is this client, and ${code("server")} is the server that ` +
          `${code(`createServer(${variableOf(name)}, …)`)} returns.`,
      ),
      setUpCall(application, server),
      ...(parameters
        ? [
            text(
              "The query string carries the connection parameters. If a parameter is invalid, the server closes the connection with 1008 and names the parameter.",
            ),
            valueFields("Parameters", parameters),
          ]
        : []),
      framesFold(...addressBlocks(server + query)),
    ],
  };
}

export function queryOf(parameters: DocumentedValue): string {
  const values = Object.entries(parameters.examples[0].data as object).filter(([, value]) => value !== undefined);
  const query = new URLSearchParams(
    values.map(([name, value]) => [name, String(value)] as [string, string]),
  ).toString();
  return query && `?${query}`;
}

function isRich({ requests, channels, direct }: Application): boolean {
  const values = [
    ...requests.flatMap(({ input, output, errors }) => [input, output, ...errors.map(({ value }) => value)]),
    ...channels.flatMap(({ events, state, presence }) => [state, presence, ...events.map(({ value }) => value)]),
    ...direct.map(({ value }) => value),
  ];
  return values.some((value) => value?.rich);
}
