import { h, setAttributes, setText, svg } from "./dom.js";

type Theme = "light" | "dark";

/**
 * The page follows the system's light or dark mode until the button is pressed. The choice is then
 * stored on this device.
 */
export function themeButton(button: HTMLElement): void {
  const system = matchMedia("(prefers-color-scheme: light)");
  const name = h("span", { class: "visually-hidden" });
  button.append(
    svg(
      "svg",
      { viewBox: "0 0 24 24", width: 18, height: 18, "aria-hidden": "true" },
      svg("circle", { cx: 12, cy: 12, r: 8, fill: "none", stroke: "currentColor", "stroke-width": 2 }),
      svg("path", { d: "M12 4a8 8 0 0 1 0 16z", fill: "currentColor" }),
    ),
    name,
  );

  const chosen = (): Theme | undefined => {
    const kept = localStorage.getItem("theme");
    return kept === "light" || kept === "dark" ? kept : undefined;
  };
  const shown = (): Theme => chosen() ?? (system.matches ? "light" : "dark");
  const apply = (): void => {
    setAttributes(document.documentElement, { "data-theme": chosen() });
    setText(name, shown() === "dark" ? "Light colours" : "Dark colours");
    setAttributes(button, { title: name.textContent });
  };
  button.addEventListener("click", () => {
    localStorage.setItem("theme", shown() === "dark" ? "light" : "dark");
    apply();
  });
  system.addEventListener("change", apply);
  apply();
}
