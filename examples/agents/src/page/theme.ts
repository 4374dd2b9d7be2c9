import { h, setAttributes, svg } from "./dom.js";

/** Dark or light as the system has it, until the button is pressed; then as it was left, on this device. */
export function themeButton(button: HTMLElement): void {
  const system = window.matchMedia("(prefers-color-scheme: light)");
  const wanted = (): "light" | "dark" => {
    const kept = localStorage.getItem("theme");
    return kept === "light" || kept === "dark" ? kept : system.matches ? "light" : "dark";
  };
  const icon = svg(
    "svg",
    { viewBox: "0 0 24 24", width: 18, height: 18, "aria-hidden": "true" },
    svg("circle", { cx: 12, cy: 12, r: 8, fill: "none", stroke: "currentColor", "stroke-width": 2 }),
    svg("path", { d: "M12 4a8 8 0 0 1 0 16z", fill: "currentColor" }),
  );
  const name = h("span", { class: "visually-hidden" });
  button.append(icon, name);

  const apply = (): void => {
    const theme = wanted();
    setAttributes(document.documentElement, { "data-theme": theme });
    name.textContent = theme === "dark" ? "Light colours" : "Dark colours";
    setAttributes(button, { title: name.textContent });
  };
  button.addEventListener("click", () => {
    localStorage.setItem("theme", wanted() === "dark" ? "light" : "dark");
    apply();
  });
  system.addEventListener("change", apply);
  apply();
}
