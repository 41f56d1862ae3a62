/** Elements from text: no markup is ever parsed, so nothing that a capture says can become an element. */

type Child = Node | string | null | undefined | false;
type Value = string | number | boolean | null | undefined;

function fill<E extends Element>(element: E, attributes: Record<string, Value>, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
  return element;
}

/** An HTML element. Style is set by class or through the CSSOM: the page's policy forbids style attributes. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, Value> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element. */
export function s<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Record<string, Value> = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/** A drawing surface of `width` × `height` user units that fills its container and scales on paper. */
export function surface(width: number, height: number, label: string, className: string): SVGSVGElement {
  return s("svg", { class: className, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
}

let brush: CanvasRenderingContext2D | null = null;

/** How wide a text comes out, in pixels, in the page's fonts: SVG text neither wraps nor makes room by itself. */
export function textWidth(text: string, pixels: number, family: "sans" | "mono" | "serif" = "sans", weight = 400): number {
  brush ??= document.createElement("canvas").getContext("2d");
  if (brush === null) return text.length * pixels * 0.6;
  brush.font = `${weight} ${pixels}px ${getComputedStyle(document.documentElement).getPropertyValue(`--${family}`)}`;
  return brush.measureText(text).width;
}

/** The text cut to `room` pixels, with an ellipsis where it was. */
export function shorten(text: string, room: number, pixels: number, family: "sans" | "mono" | "serif" = "sans"): string {
  if (textWidth(text, pixels, family) <= room) return text;
  let length = Math.min(text.length, Math.ceil(room / (pixels * 0.3)));
  while (length > 1 && textWidth(`${text.slice(0, length)}…`, pixels, family) > room) length -= 1;
  return `${text.slice(0, length)}…`;
}

/** The lines of a text, each at most `room` pixels wide unless a single word is wider. */
export function wrap(text: string, room: number, pixels: number, weight = 400): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").filter(Boolean)) {
    const longer = line ? `${line} ${word}` : word;
    if (line && textWidth(longer, pixels, "sans", weight) > room) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return (line ? [...lines, line] : lines).map((each) => shorten(each, room, pixels));
}

/** Calls `draw` with the container's width now and whenever it changes. */
export function responsive(container: HTMLElement, draw: (width: number) => void): void {
  let last = 0;
  const update = (): void => {
    const width = Math.floor(container.clientWidth);
    // On paper the drawing scales with its viewBox instead.
    if (width > 0 && width !== last) draw((last = width));
  };
  new ResizeObserver(update).observe(container);
}
