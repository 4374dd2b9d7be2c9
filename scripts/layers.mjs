/**
 * Who may import whom inside a package (docs/architecture.md draws it). The first layer whose pattern fits a file is its
 * layer; `uses` names the layers it may import besides its own. A new file that fits none is refused until it has a place.
 * Arrows between packages are in .oxlintrc.json.
 */
export const layers = {
  protocol: [
    {
      name: "messages",
      files: ["messages/*"],
      uses: [],
      teaches: "A message is a schema and knows only the parts other messages share (envelope, position, wire-error).",
    },
    {
      name: "documentation",
      files: ["docs/*", "describe.ts", "json-schema.ts", "cli.ts"],
      uses: ["messages", "protocol"],
      teaches: "Nothing that runs in a browser may import the documentation: it needs Node and is large.",
    },
    { name: "protocol", files: ["**"], uses: ["messages"], teaches: "It would bring Node into every browser." },
  ],
  client: [
    {
      name: "assembly",
      files: ["create-client.ts", "index.ts"],
      uses: ["facts", "connection", "uses"],
      teaches: "",
    },
    {
      name: "connection",
      files: ["connection.ts", "connection-machine.ts", "heartbeat.ts"],
      uses: ["facts"],
      teaches: "The connection offers a link; it does not know the requests and channels that use it.",
    },
    {
      name: "uses",
      files: ["{inbox,direct-events,requests,outbox,subscriptions,channel,presence,state}*.ts"],
      uses: ["facts", "connection"],
      teaches: "Only create-client.ts puts parts together: take what you need as a parameter.",
    },
    {
      name: "node",
      files: ["file.ts"],
      uses: ["facts"],
      teaches: "An entry of its own, for what only Node can do: the application hands it to the client.",
    },
    {
      name: "facts",
      files: ["*.ts", "page/*.ts"],
      uses: [],
      teaches: "Tables, types, small stores and the seams to the outside know nothing of what is built on them.",
    },
  ],
  server: [
    {
      name: "assembly",
      files: ["create-server.ts", "assembly/*", "application.ts", "server.ts", "index.ts", "testing.ts"],
      uses: ["facts", "channel", "session", "instances", "auth", "dispatch", "adapters"],
      teaches: "",
    },
    {
      name: "facts",
      files: [
        "environment.ts",
        "expiring.ts",
        "upkeep.ts",
        "observe/*",
        "limits/*",
        "broker/broker.ts",
        "transport/{frame,socket}.ts",
        "auth/{identity,credential,origin}.ts",
        "dispatch/reply-to.ts",
      ],
      uses: [],
      teaches: "Interfaces and facts know nothing of what is built on them.",
    },
    {
      name: "adapters",
      files: ["transport/*", "broker/*", "broker/redis/*", "redis.ts"],
      uses: ["facts"],
      teaches:
        "A transport hands over a ServerSocket and facts about the request, a broker hands over publications; what is done with them is decided above.",
    },
    {
      name: "channel",
      files: ["channel/*", "state/*"],
      uses: ["facts"],
      teaches:
        "A channel knows a Subscriber, never a session or a socket: ask for what it needs in channel/subscriber.ts.",
    },
    {
      name: "session",
      files: ["session/*", "options.ts", "settings.ts", "dispatch/calls.ts"],
      uses: ["facts", "channel"],
      teaches:
        "A session remembers; who may enter (auth) and what a message means (dispatch) is decided by those above it.",
    },
    {
      name: "instances",
      files: ["instances/*"],
      uses: ["facts", "channel", "session"],
      teaches:
        "What is known across instances is built on what one knows; sessions ask for it by session/elsewhere.ts.",
    },
    {
      name: "auth",
      files: ["auth/*"],
      uses: ["facts", "session"],
      teaches: "auth turns a socket into a session and is done; it does not look at channels or requests.",
    },
    {
      name: "dispatch",
      files: ["dispatch/*"],
      uses: ["facts", "channel", "session", "auth"],
      teaches: "dispatch joins session, channels and handlers; only create-server.ts names a transport.",
    },
  ],
};
