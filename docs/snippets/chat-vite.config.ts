import { defineConfig } from "vite";

// During development, Vite serves the page and passes the WebSockets of /ws on to your server.
export default defineConfig({ server: { proxy: { "/ws": { target: "ws://localhost:3000", ws: true } } } });
