/**
 * Who may import whom inside a package (docs/architecture.md draws it). The first layer whose
 * pattern fits a file is its layer; `uses` names the layers it may import besides its own. A new
 * file that fits none is refused until it has a place. Arrows between packages are in
 * .oxlintrc.json.
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
      name: "description",
      files: ["describe.ts", "json-schema.ts", "schema-shape.ts", "schema-facts.ts"],
      uses: ["messages", "protocol"],
      teaches: "Nothing that runs in a browser may import the description: it needs Node and is large.",
    },
    { name: "protocol", files: ["**"], uses: ["messages"], teaches: "It would bring Node into every browser." },
  ],
  cli: [
    {
      name: "reference",
      files: ["docs/*"],
      uses: [],
      teaches:
        "The reference is made from a protocol, whoever asks for it. Only command.ts knows of arguments and of files to load.",
    },
    { name: "command", files: ["*.ts"], uses: ["reference"], teaches: "" },
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
      files: ["{message-router,direct-events,requests,subscriptions,channel,presence,document}*.ts"],
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
      uses: ["facts", "log", "presence", "document", "channel", "session", "instances", "auth", "dispatch", "adapters"],
      teaches: "",
    },
    {
      name: "facts",
      files: [
        "call-options.ts",
        "environment.ts",
        "host-names.ts",
        "async/*",
        "observe/*",
        "broker/broker.ts",
        "transport/{frame,socket,reply-to}.ts",
      ],
      uses: [],
      teaches: "Interfaces and facts know nothing of the parts that are built on them.",
    },
    {
      name: "adapters",
      files: ["transport/*", "broker/*", "broker/redis/*", "redis.ts"],
      uses: ["facts"],
      teaches:
        "A transport hands over a ServerSocket and facts about the request, a broker hands over publications. The layers above decide what happens with them.",
    },
    {
      name: "log",
      files: ["log/*"],
      uses: ["facts"],
      teaches: "A topic is followed in order for whoever takes its publications; log/ does not know what they mean.",
    },
    {
      name: "presence",
      files: ["presence/*"],
      uses: ["facts", "log"],
      teaches: "Presence knows Subscribers and topics, never a session or a socket.",
    },
    {
      name: "document",
      files: ["document/*"],
      uses: ["facts"],
      teaches: "Documents are made, stored and compared here; the channel publishes them.",
    },
    {
      name: "channel",
      files: ["channel/*"],
      uses: ["facts", "log", "presence", "document"],
      teaches: "A channel knows a Subscriber, never a session or a socket: ask for what it needs in log/subscriber.ts.",
    },
    {
      name: "session",
      files: ["session/*", "options.ts", "settings.ts"],
      uses: ["facts", "log", "document", "channel"],
      teaches: "A session remembers. The layers above decide who may enter (auth) and what a message means (dispatch).",
    },
    {
      name: "instances",
      files: ["instances/*"],
      uses: ["facts", "log", "session"],
      teaches:
        "The knowledge across instances is built on that of one instance; sessions ask for it by session/remote-instances.ts.",
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
      uses: ["facts", "presence", "channel", "session", "auth"],
      teaches: "dispatch joins session, channels and handlers; only the assembly names a transport.",
    },
  ],
};

/**
 * Circles of files that may stay, by package, each with the reason. Lint refuses every other one,
 * and one that is gone.
 */
export const knownCircles = {
  protocol: [
    {
      why: "A schema holds schemas: each of these reads one kind and hands what is inside to the others.",
      files: [
        "codec/dehydrate.ts",
        "codec/encode-value.ts",
        "schema-defaults.ts",
        "schema-functions.ts",
        "schema-pairs.ts",
        "schema-parts.ts",
        "schema-reader.ts",
        "schema-types.ts",
        "schema.ts",
      ],
    },
  ],
};
