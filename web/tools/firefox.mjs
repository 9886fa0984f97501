/**
 * Firefox without a window, for a program that speaks JSON, one line each way.
 *
 * In: the browser's path as the argument, then lines `{id, open: {url, listen, script}}`,
 * `{id, call: {script, argument}}`, `{id, close: true}`. Out: for each `{id, value}` or
 * `{id, error}`, with `heard`: what the page complained of since the last. The first line out is
 * `{ready: version, process: its number}`. One page at a time, each in a context of its own. It
 * ends with its input; the browser's profile lies in the folder in which it was started.
 */

import { resolve } from "node:path";
import { createInterface } from "node:readline";
import puppeteer from "puppeteer-core";

/** @type {import("puppeteer-core").BrowserContext | undefined} */
let context;
/** @type {import("puppeteer-core").Page | undefined} */
let page;
/** @type {string[]} */
let heard = [];

/** @param {unknown} message */
function say(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/** @param {unknown} error */
function words(error) {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** @param {import("puppeteer-core").Page} opened */
function overhear(opened) {
  opened.on("pageerror", (error) => heard.push(words(error)));
  opened.on("console", (said) => {
    if (["error", "warn", "assert"].includes(said.type())) {
      const where = said.location().url ?? "";
      heard.push(`${said.text()} (${/^https?:/.test(where) ? where : "the page"})`);
    }
  });
  opened.on("requestfailed", (asked) => {
    heard.push(`${asked.url()} could not be fetched: ${asked.failure()?.errorText ?? "no reason given"}`);
  });
  opened.on("response", (answer) => {
    if (answer.status() >= 400) heard.push(`${answer.url()} could not be fetched: HTTP ${answer.status()}`);
  });
}

const browser = await puppeteer.launch({
  browser: "firefox",
  executablePath: process.argv[2] ?? "",
  headless: true,
  userDataDir: resolve("profile"),
  handleSIGINT: false,
});

const does = {
  /** @param {{url: string, listen: string}} asked */
  async open({ url, listen }) {
    await does.close();
    context = await browser.createBrowserContext();
    page = await context.newPage();
    overhear(page);
    await page.evaluateOnNewDocument(listen);
    await page.goto(url);
    return true;
  },
  /** @param {{script: string, argument: unknown}} asked */
  async call({ script, argument }) {
    if (page === undefined) throw new Error("no page is open");
    return await page.evaluate(`(${script})(${JSON.stringify(argument ?? null)})`);
  },
  async close() {
    const old = context;
    context = page = undefined;
    heard = [];
    await old?.close();
    return true;
  },
};

say({ ready: await browser.version(), process: browser.process()?.pid });
for await (const line of createInterface({ input: process.stdin })) {
  const { id, what, asked } = JSON.parse(line);
  /** @type {Record<string, unknown>} */
  let answer;
  try {
    answer = { id, value: await does[/** @type {keyof typeof does} */ (what)](asked) };
  } catch (error) {
    answer = { id, error: words(error) };
  }
  say({ ...answer, heard: heard.splice(0) });
}
await browser.close();
