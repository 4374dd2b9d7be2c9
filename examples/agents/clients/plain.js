// Uses only a browser's own WebSocket: no library, no build. Also runs in Node 22 and newer.
const ws = new WebSocket("ws://localhost:3000/ws?token=abc123");

ws.onopen = () => {
  ws.send(
    JSON.stringify({
      type: "subscribe",
      data: { channels: ["agent-updates"] },
    }),
  );
};

ws.onmessage = (event) => {
  const msg = JSON.parse(event.data);

  if (msg.type === "ping") {
    ws.send(JSON.stringify({ type: "pong" }));
  } else if (msg.type === "event") {
    console.log("Event received:", msg.data);
  }
};

ws.onerror = (error) => {
  console.error("WebSocket error:", error);
};

ws.onclose = () => {
  console.log("WebSocket closed");
};
