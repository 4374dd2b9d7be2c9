/**
 * The imports that are allowed inside each package (docs/architecture.md draws them). A file
 * belongs to the first layer whose pattern matches it. `uses` names the other layers that this
 * layer may import. If no pattern matches a new file, lint fails until this table has a pattern for
 * the file. The imports that are allowed between packages are in .oxlintrc.json.
 */
export const layers = {
  protocol: [
    {
      name: "messages",
      files: ["messages/*"],
      uses: [],
      teaches:
        "A message is a schema and may import only the parts that messages share (envelope, position, wire-error).",
    },
    {
      name: "description",
      files: ["describe.ts", "json-schema.ts", "schema-shape.ts", "schema-facts.ts"],
      uses: ["messages", "protocol"],
      teaches: "Code that runs in a browser may not import the description, which needs Node and is large.",
    },
    { name: "protocol", files: ["**"], uses: ["messages"], teaches: "The import would bring Node into every browser." },
  ],
  cli: [
    {
      name: "reference",
      files: ["docs/*"],
      uses: [],
      teaches: "The reference is generated from a protocol. Only command.ts handles arguments and loads files.",
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
      teaches:
        "file.ts is an entry of its own, because it needs Node. The application passes its result to the client.",
    },
    {
      name: "facts",
      files: ["*.ts", "page/*.ts"],
      uses: [],
      teaches: "Tables, types, small stores and the seams to the environment do not know the parts that use them.",
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
      teaches: "Interfaces and facts do not know the parts that use them.",
    },
    {
      name: "adapters",
      files: ["transport/*", "broker/*", "broker/redis/*", "redis.ts"],
      uses: ["facts"],
      teaches:
        "A transport provides a ServerSocket and facts about the request, a broker provides publications. The layers above decide how to use them.",
    },
    {
      name: "log",
      files: ["log/*"],
      uses: ["facts"],
      teaches:
        "log/ follows a topic and delivers its publications in order. log/ does not know the meaning of a publication.",
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
      teaches: "This layer creates, stores and compares documents. The channel publishes them.",
    },
    {
      name: "channel",
      files: ["channel/*"],
      uses: ["facts", "log", "presence", "document"],
      teaches:
        "A channel knows a Subscriber, never a session or a socket: declare the members that the channel needs in log/subscriber.ts.",
    },
    {
      name: "session",
      files: ["session/*", "options.ts", "settings.ts"],
      uses: ["facts", "log", "document", "channel"],
      teaches:
        "A session keeps state. The layers above decide which clients may connect (auth) and handle messages (dispatch).",
    },
    {
      name: "instances",
      files: ["instances/*"],
      uses: ["facts", "log", "session"],
      teaches:
        "State across instances builds on the state of one instance. Sessions access it through session/remote-instances.ts.",
    },
    {
      name: "auth",
      files: ["auth/*"],
      uses: ["facts", "session"],
      teaches: "auth turns a socket into a session. It does not handle channels or requests.",
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
 * Circles of files that may stay, by package, each with the reason. Lint reports every other
 * circle, and every entry whose circle no longer exists.
 */
export const knownCircles = {
  protocol: [
    {
      why: "A schema contains schemas: each of these files reads one kind of schema and passes the inner schemas to the others.",
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
