/**
 * The script of the page: the search, the current place in the contents, contents that collapse on
 * a narrow screen, and the choice of light or dark. A page that is opened from a file may not be
 * able to store the choice.
 */
export const pageScript = `
const all = [...document.querySelectorAll("main section")];
const leaves = all.map((section) => ({ section, text: (section.querySelector("h2,h3,h4,h5,h6").textContent + " " + section.querySelector(".own").textContent).toLowerCase() }));
const links = new Map([...document.querySelectorAll("nav li")].map((item) => [item.querySelector("a").hash.slice(1), item]));
const nav = document.querySelector("nav");
const contents = document.getElementById("contents");
const narrow = matchMedia("(max-width: 56rem)");
const fit = () => { contents.open = !narrow.matches; };
fit();
narrow.addEventListener("change", fit);
contents.addEventListener("click", ({ target }) => { if (narrow.matches && target.closest("a")) contents.open = false; });
const search = document.getElementById("search");
search.addEventListener("input", () => {
  const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean);
  const found = new Set(leaves.filter(({ text }) => words.every((word) => text.includes(word))).map(({ section }) => section));
  const way = new Set([...found].flatMap((section) => all.filter((other) => other.contains(section))));
  for (const section of all) {
    const shown = way.has(section);
    section.hidden = !shown;
    section.classList.toggle("passed", shown && !found.has(section));
    const item = links.get(section.id);
    if (item) item.hidden = !shown;
  }
  document.getElementById("none").hidden = found.size > 0;
});
addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== search) { event.preventDefault(); search.focus(); }
  if (event.key === "Escape") { search.value = ""; search.dispatchEvent(new Event("input")); search.blur(); }
});
const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) if (isIntersecting) {
    document.querySelector("nav a.here")?.classList.remove("here");
    const link = links.get(target.id)?.querySelector("a");
    if (!link) continue;
    link.classList.add("here");
    const [at, edge] = [link.getBoundingClientRect(), nav.getBoundingClientRect()];
    if (at.top < edge.top + 80 || at.bottom > edge.bottom - 80) nav.scrollTop += at.top - edge.top - edge.height / 2;
  }
}, { rootMargin: "-10% 0px -80% 0px" });
for (const section of all) seen.observe(section);
const root = document.documentElement;
try { root.dataset.theme = localStorage.getItem("theme") ?? ""; } catch { /* opened from a file */ }
document.getElementById("theme").addEventListener("click", () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try { localStorage.setItem("theme", root.dataset.theme); } catch { /* opened from a file */ }
});
`;
