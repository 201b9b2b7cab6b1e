"use strict";
// The page: what it is about, the input, and a view of each net, drawn anew once a frame.

/** A new element; `text` is text, never markup, whatever a stranger called a class. */
function element(tag, { text, role, ...properties } = {}) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (role) node.setAttribute("role", role);
  return Object.assign(node, properties);
}

function say(words) {
  document.getElementById("status").textContent = words;
}

const SLOW = 200; // milliseconds of a forward pass
const content = JSON.parse(document.getElementById("content").textContent);
const inspector = new Inspector();
const views = content.nets.map(
  (net) => new NetView(loadNet(net), content.classes, inspector, follow),
);
let isDue = false;

function describeNets() {
  for (const net of content.nets) {
    const facts = element("dl", { className: "facts" });
    for (const [name, value] of net.about) {
      const fact = element("div");
      fact.append(element("dt", { text: name }), element("dd", { text: value }));
      facts.append(fact);
    }
    const about = document.getElementById("about");
    about.append(element("p", { className: "hint", text: net.description }), facts);
  }
}

/** One class's score at a time is followed: that of the net whose class was chosen last. */
function follow(chosen) {
  if (chosen.followed !== null) for (const view of views) if (view !== chosen) view.followed = null;
  redraw();
}

function redraw() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    draw();
  });
}

function draw() {
  const times = views.map((view) => view.update(input.pixels));
  const followed = views.find((view) => view.followed !== null);
  const shares = document.getElementById("shares");
  shares.hidden = !followed;
  if (followed) paintShares(shares, followed.shares());
  inspector.update();
  const time = Math.max(...times);
  const words = [`forward pass: ${time.toFixed(1)} ms${time > SLOW ? ", a slow one: this net is large" : ""}`];
  if (followed) words.push("on the image: orange raises the score that is followed, blue lowers it");
  say(words.join(" · "));
}

describeNets();
for (const view of views) document.getElementById("nets").append(view.root);
const input = new Input(content.examples, content.inverts, redraw);
input.buttons[0]?.click();
draw();
