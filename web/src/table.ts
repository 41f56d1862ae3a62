/** A table that sorts by its column headings, filters by text and grows on request; the caption says what is not shown. */

import { h } from "./dom";
import { count } from "./format";

export interface Column<Row> {
  title: string;
  /** Numbers are set flush right and sort from the largest first. */
  numeric?: boolean;
  /** What the column sorts by; without it the heading is plain text. Unknown (null) always comes last. */
  key?: (row: Row) => number | string | bigint | null;
  cell: (row: Row) => Node | string;
  className?: string;
}

export interface TableOptions<Row> {
  caption: string;
  columns: Column<Row>[];
  rows: Row[];
  /** Rows shown at first, and added by each press of the button. */
  page: number;
  /** What the filter field searches, in lower case. Without it there is no field. */
  haystack?: (row: Row) => string;
  filterLabel?: string;
  /** Said in place of the rows when there are none. */
  empty?: string;
}

export interface Table<Row> {
  element: HTMLElement;
  /** Shows only the rows that pass; null shows all again. */
  restrict(passes: ((row: Row) => boolean) | null, why: string): void;
}

export function table<Row>(options: TableOptions<Row>): Table<Row> {
  const { columns } = options;
  let shown = options.page;
  let sorted: { column: number; descending: boolean } | null = null;
  let query = "";
  let passes: ((row: Row) => boolean) | null = null;
  let why = "";

  const body = h("tbody");
  const status = h("p", { class: "status", "aria-live": "polite" });
  const more = h("button", { type: "button", class: "more" });
  const headings = columns.map((column, i) => heading(column, () => sortBy(i)));

  const selected = (): Row[] => {
    let rows = options.rows;
    if (passes) rows = rows.filter(passes);
    if (query && options.haystack) rows = rows.filter((row) => query.split(/\s+/).every((word) => options.haystack!(row).includes(word)));
    const key = sorted && columns[sorted.column]?.key;
    return sorted && key ? [...rows].sort((a, b) => compare(key(a), key(b), sorted!.descending)) : rows;
  };

  const update = (): void => {
    const rows = selected();
    body.replaceChildren(...rows.slice(0, shown).map((row) => tableRow(columns, row)));
    if (rows.length === 0) body.append(h("tr", {}, h("td", { colspan: columns.length, class: "none" }, options.empty ?? "No row matches.")));
    const seen = Math.min(shown, rows.length);
    const parts = [seen < rows.length ? `${count(seen)} of ${count(rows.length)} rows shown` : ""];
    if (rows.length < options.rows.length) parts.push(`${count(rows.length)} of ${count(options.rows.length)} match${why ? ` ${why}` : ""}`);
    status.textContent = parts.filter(Boolean).join("; ");
    more.hidden = seen >= rows.length;
    more.textContent = `Show ${count(Math.min(options.page * 4, rows.length - seen))} more`;
    headings.forEach((th, i) => {
      if (columns[i]?.key) th.setAttribute("aria-sort", sorted?.column === i ? (sorted.descending ? "descending" : "ascending") : "none");
    });
  };

  const sortBy = (i: number): void => {
    const first = columns[i]?.numeric ?? false;
    sorted = { column: i, descending: sorted?.column === i ? !sorted.descending : first };
    update();
  };

  more.addEventListener("click", () => {
    shown += options.page * 4;
    update();
  });
  const field = options.haystack ? filterField(options.filterLabel ?? "Filter", (text) => ((query = text), update())) : null;
  update();
  return {
    element: h(
      "div",
      { class: "table" },
      field,
      // A wide table scrolls inside its own box, which the keyboard can reach; the page never does.
      h(
        "div",
        { class: "scroll", role: "region", "aria-label": options.caption, tabindex: 0 },
        h("table", {}, h("caption", {}, options.caption), h("thead", {}, h("tr", {}, ...headings)), body),
      ),
      h("div", { class: "foot" }, status, more),
    ),
    restrict(test, because) {
      [passes, why] = [test, because];
      update();
    },
  };
}

function heading<Row>(column: Column<Row>, onPress: () => void): HTMLTableCellElement {
  const cell = h("th", { scope: "col", class: classes(column) });
  if (!column.key) {
    cell.append(column.title);
    return cell;
  }
  const button = h("button", { type: "button" }, column.title);
  button.addEventListener("click", onPress);
  cell.append(button);
  return cell;
}

const classes = <Row>(column: Column<Row>): string | null => [column.numeric ? "n" : "", column.className ?? ""].filter(Boolean).join(" ") || null;

function tableRow<Row>(columns: Column<Row>[], row: Row): HTMLTableRowElement {
  return h(
    "tr",
    {},
    ...columns.map((column, i) => {
      const content = column.cell(row);
      return i === 0 ? h("th", { scope: "row", class: classes(column) }, content) : h("td", { class: classes(column) }, content);
    }),
  );
}

function filterField(label: string, onInput: (text: string) => void): HTMLElement {
  const input = h("input", { type: "search", autocomplete: "off", spellcheck: "false" });
  input.addEventListener("input", () => onInput(input.value.trim().toLowerCase()));
  return h("label", { class: "filter" }, `${label} `, input);
}

type Key = number | string | bigint | null;

function compare(a: Key, b: Key, descending: boolean): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  const order = typeof a === "string" && typeof b === "string" ? a.localeCompare(b, "en", { numeric: true }) : a < b ? -1 : a > b ? 1 : 0;
  return descending ? -order : order;
}
