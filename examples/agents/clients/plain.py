import asyncio
import websockets
import json

async def connect():
    uri = "ws://localhost:3000/ws?token=abc123"
    async with websockets.connect(uri) as ws:
        # Subscribe
        await ws.send(json.dumps({
            "type": "subscribe",
            "data": {"channels": ["agent-updates"]}
        }))

        # Receive messages
        async for message in ws:
            msg = json.loads(message)
            if msg["type"] == "ping":
                await ws.send(json.dumps({"type": "pong"}))
            elif msg["type"] == "event":
                print(f"Event: {msg['data']}")

asyncio.run(connect())
