/** The frame of every section: heading and a note on how to read it in the margin, the matter beside it. */

import { h } from "../dom";

export function section(id: string, title: string, note: (Node | string)[], ...matter: (HTMLElement | null)[]): HTMLElement {
  return h(
    "section",
    { id, class: matter.some((each) => each?.classList.contains("nothing")) ? "bare" : null, "aria-labelledby": `${id}-title` },
    h("header", {}, h("h2", { id: `${id}-title` }, title), ...note.map((n) => h("p", { class: "note" }, n))),
    h("div", { class: "matter" }, ...matter),
  );
}

export const nothing = (sentence: string): HTMLElement => h("p", { class: "nothing" }, sentence);
