/**
 * Builds the report into ONE file: the script and the style inside the page, and a content security policy that names
 * exactly those two by their hash and forbids everything else, the network first of all.
 *
 * The result is committed as an asset of the Python package, so that a wheel is built and installed without node. Its first
 * line carries a digest of everything under web/ that it was made from; `tests/browser/test_template_fresh.py` compares it
 * without node, `make web-check` by building again.
 */
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

const root = dirname(fileURLToPath(import.meta.url));
const asset = process.env["HALFOPEN_REPORT_ASSET"] ?? join(root, "../src/halfopen/render/assets/report.html");

/** The files that decide what the page is, sorted by path, `/` as the separator. */
function sources(): string[] {
  const inSrc = readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/"));
  return [...inSrc, "package-lock.json", "package.json", "report.html", "tsconfig.json", "vite.config.ts"].sort();
}

/** SHA-256 over path, NUL, content, NUL of each source: the same sum is made in Python. */
function digestOfSources(): string {
  const hash = createHash("sha256");
  for (const path of sources()) {
    hash.update(path).update("\0").update(readFileSync(join(root, path))).update("\0");
  }
  return hash.digest("hex");
}

const sha256 = (text: string): string => `'sha256-${createHash("sha256").update(text, "utf8").digest("base64")}'`;

/** A closing tag inside a string of the script would end the element early. */
const inlineSafe = (code: string): string => code.replace(/<\/(script|style)/gi, "<\\/$1").replace(/<!--/g, "<\\!--");

function onePage(): Plugin {
  return {
    name: "halfopen-one-page",
    enforce: "post",
    writeBundle(_options, bundle) {
      const files = Object.values(bundle);
      const script = files.filter((f) => f.type === "chunk").map((f) => f.code);
      const style = files.filter((f) => f.type === "asset" && f.fileName.endsWith(".css")).map((f) => String((f as { source: string | Uint8Array }).source));
      const page = files.find((f) => f.fileName === "report.html");
      if (script.length !== 1 || style.length !== 1 || page?.type !== "asset") {
        throw new Error(`expected one script, one style and one page, got ${files.map((f) => f.fileName).join(", ")}`);
      }
      const js = inlineSafe(script[0]!.trim());
      const css = inlineSafe(style[0]!.trim());
      const policy = [
        "default-src 'none'",
        `script-src ${sha256(js)}`,
        `style-src ${sha256(css)}`,
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
      ].join("; ");
      const html = String(page.source)
        .replace(/<!-- CSP:.*?-->/s, () => `<meta http-equiv="Content-Security-Policy" content="${policy}">`)
        .replace(/<script type="module"[^>]*><\/script>\n?/, "")
        .replace(/<link rel="stylesheet"[^>]*>\n?/, "")
        .replace("</head>", () => `<style>${css}</style>\n</head>`)
        // Last in the body and classic: it runs when the data element above it has been parsed, on file: URLs too.
        .replace("</body>", () => `<script>${js}</script>\n</body>`)
        .replace("<html", () => `<!-- Built by \`make web\` from web/; do not edit. Sources: sha256 ${digestOfSources()} -->\n<html`);
      mkdirSync(dirname(asset), { recursive: true });
      writeFileSync(asset, html);
    },
  };
}

export default defineConfig({
  root,
  base: "./",
  logLevel: "warn",
  build: {
    outDir: join(root, "dist"),
    target: "es2022",
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    modulePreload: false,
    cssCodeSplit: false,
    reportCompressedSize: false,
    rollupOptions: { input: join(root, "report.html"), output: { format: "iife" } },
  },
  plugins: [onePage()],
});
