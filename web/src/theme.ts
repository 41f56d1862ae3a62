/** Light and dark: the reader's system decides until the button is pressed. */

import { h } from "./dom";

export function themeButton(): HTMLButtonElement {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const isDark = (): boolean => (root.dataset["theme"] ?? (system.matches ? "dark" : "light")) === "dark";
  const button = h("button", { type: "button", class: "theme" });
  const show = (): void => {
    button.textContent = isDark() ? "Light page" : "Dark page";
  };
  button.addEventListener("click", () => {
    root.dataset["theme"] = isDark() ? "light" : "dark";
    show();
  });
  system.addEventListener("change", show);
  show();
  return button;
}
