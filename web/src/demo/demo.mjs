/**
 * The demo of one bundle: what the model is, a question, its answer, how long it took, and whether
 * it still answers as the original did. index.html has the places; everything else is made here.
 */

import { purpose, read } from "./about.mjs";
import { arranged } from "./columns.mjs";
import { Desk } from "./desk.mjs";
import { fill, make, part } from "./dom.mjs";
import { holdThePage } from "./drops.mjs";
import { Editor } from "./editing.mjs";
import { loaded, sizes } from "./loading.mjs";
import { offline } from "./offline.mjs";
import { panel } from "./predicting.mjs";
import { inWords } from "./problems.mjs";
import { usage } from "./usage.mjs";
import { verifying } from "./verifying.mjs";

async function start() {
  holdThePage();
  arranged(part("cards"));
  const about = await read();
  fill(part("purpose"), purpose(about));
  fill(part("size"), sizes(about));
  const model = loaded(about, part("loading"));
  // What went wrong stands where the model would; whoever asks hears of it, too.
  model.catch(() => {});
  const desk = new Desk(model);
  const editor = about.steps === null ? new Editor(about, desk) : null;
  fill(part("question"), editor ? editor.element : panel(about, desk));
  fill(part("answer"), desk.answers);
  fill(part("times"), desk.times);
  fill(part("verify"), verifying(model));
  fill(part("use"), usage(about));
  await model.then(() => offline(part("offline")), () => {});
}

start().catch((error) => {
  fill(part("loading"), make("p", { class: "problem", role: "alert" }, inWords(error)));
});
