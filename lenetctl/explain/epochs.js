"use strict";
// A net over the epochs of its training: which one is shown, and its confusion on the test set.

class Epochs {
  /** @param changed is called when another epoch is chosen */
  constructor(net, classes, changed) {
    Object.assign(this, { net, classes, changed, shown: net.shown });
    this.root = element("div");
    if (net.epochs.length > 1) this.root.append(this.addSlider());
    this.root.append(this.addConfusion());
    this.show(net.shown);
  }

  addSlider() {
    const label = element("label", { className: "epochs" });
    this.words = element("span");
    const last = this.net.epochs.length - 1;
    this.slider = element("input", { type: "range", min: 0, max: last, value: this.shown });
    this.slider.addEventListener("input", () => {
      this.show(Number(this.slider.value));
      this.changed();
    });
    label.append(this.words, this.slider);
    return label;
  }

  addConfusion() {
    const details = element("details", { open: this.net.epochs.length > 1 });
    this.summary = element("summary");
    const table = element("table", { className: "confusion" });
    const head = table.insertRow();
    head.append(element("td"), ...this.classes.map((name) => heading(name, "col")));
    this.cells = this.net.epochs[0].confusion.map((_, truth) => {
      const row = table.insertRow();
      row.append(heading(this.classes[truth], "row"));
      return this.classes.map(() => row.insertCell());
    });
    const scroll = element("div", { className: "scroll" });
    scroll.append(table);
    const hint = "A row is a true class, a column what the net takes it for.";
    details.append(this.summary, element("p", { className: "hint", text: hint }), scroll);
    return details;
  }

  show(number) {
    this.shown = number;
    const { epoch, weights, accuracy, confusion } = this.net.epochs[number];
    useWeights(this.net, weights ?? this.net.weights);
    const words = `epoch ${epoch} of ${this.net.epochs.at(-1).epoch}`;
    if (this.slider) {
      this.words.textContent = epoch ? words : `${words}, before training`;
      this.slider.ariaValueText = this.words.textContent;
    }
    this.summary.textContent = `Test set: accuracy ${accuracy.toFixed(4)}, confusion`;
    confusion.forEach((row, truth) => {
      const images = row.reduce((sum, count) => sum + count, 0) || 1;
      row.forEach((count, taken) => {
        const cell = this.cells[truth][taken];
        const share = count / images;
        cell.textContent = count;
        cell.style.backgroundColor = `rgba(${BLUE}, ${share})`;
        cell.style.color = share > 0.5 ? "white" : "";
      });
    });
  }
}

/** A class's name above a column or beside a row; above, it stands upright. */
function heading(name, scope) {
  const cell = element("th", { scope, title: name });
  cell.append(element("span", { text: name }));
  return cell;
}
