"use strict";
(() => {
  const page = JSON.parse(document.getElementById("data").textContent);
  const SAFE = 2 ** 53;

  // --- closed forms: the same rules on BigInt, exact, and on Number, for grids whose values stay below 2^53 ---

  const floorDiv = (a, b, one) => {
    if (b == 0) return b;  // a guard refuses it
    const rest = a % b;
    const whole = (a - rest) / b;
    return rest != 0 && (rest < 0) !== (b < 0) ? whole - one : whole;
  };
  const OPERATIONS = {
    floor_div: (one, a, b) => floorDiv(a, b, one),
    make_divisible: (one, top, bottom, step) => {
      const two = one + one, ten = two * two * two + two;
      let nearest = floorDiv(two * top + step * bottom, two * step * bottom, one) * step;
      if (nearest < step) nearest = step;
      return ten * nearest * bottom < (ten - one) * top ? nearest + step : nearest;
    },
    round_even: (one, top, bottom) => {
      const two = one + one, whole = floorDiv(top, bottom, one), rest = top - whole * bottom;
      return two * rest > bottom || (two * rest === bottom && whole % two != 0) ? whole + one : whole;
    },
    gcd: (one, a, b) => {
      while (b != 0) [a, b] = [b, a % b];
      return a;
    },
    maximum: (one, ...values) => values.reduce((a, b) => a > b ? a : b),
    minimum: (one, ...values) => values.reduce((a, b) => a < b ? a : b),
  };
  // the largest number that each operation meets on the way, and the largest that it can give
  const BOUNDS = {
    floor_div: (a, b) => [Math.max(a, b), a + 1],
    make_divisible: (top, bottom, step) => [20 * (top + 2 * step * bottom), top + 2 * step],
    round_even: (top, bottom) => [2 * Math.max(top, bottom), top + 1],
    gcd: (a, b) => [Math.max(a, b), Math.max(a, b)],
    maximum: (...values) => [Math.max(...values), Math.max(...values)],
    minimum: (...values) => [Math.max(...values), Math.max(...values)],
  };

  function prepared(program, of) {
    const polynomial = flat => {
      const terms = [];
      for (let i = 0; i < flat.length; i += 2) terms.push([of(flat[i]), flat[i + 1]]);
      return terms;
    };
    const pair = value => Array.isArray(value[0]) ? value.map(polynomial) : [polynomial(value), null];
    return {
      one: of(1),
      zero: of(0),
      monomials: program.monomials,
      guards: program.guards.map(guard => guard.map(checks => checks.map(
        ([relation, ...parts]) => [relation, ...parts.map(polynomial)]))),
      lines: program.lines.map(([name, ...rest]) => [name, rest.map(polynomial)]),
      values: program.values.map(pair),
    };
  }

  // the part of a program that its guards and the values at `places` need, for many points; its values are in this order
  function sliced(program, count, places) {
    const values = places.map(place => program.values[place]);
    const used = new Set(), slots = new Set();
    const read = terms => {
      for (const [, place] of terms) {
        used.add(place);
        for (const slot of program.monomials[place]) slots.add(slot);
      }
    };
    for (const parts of values) parts.filter(part => part !== null).forEach(read);
    for (const checks of program.guards.flat()) for (const [, ...parts] of checks) parts.forEach(read);
    for (let line = program.lines.length - 1; line >= 0; line -= 1) {  // a line reads what lines before it make
      if (slots.has(count + line)) program.lines[line][1].forEach(read);
    }
    const kept = program.lines.map((_, line) => line).filter(line => slots.has(count + line));
    const slotOf = new Map(kept.map((line, place) => [count + line, count + place]));
    const placeOf = new Map([...used].map((place, index) => [place, index]));
    const terms = part => part.map(([coefficient, place]) => [coefficient, placeOf.get(place)]);
    return {
      ...program,
      monomials: [...used].map(place => program.monomials[place].map(slot => slotOf.get(slot) ?? slot)),
      guards: program.guards.map(guard => guard.map(checks => checks.map(
        ([relation, ...parts]) => [relation, ...parts.map(terms)]))),
      lines: kept.map(line => [program.lines[line][0], program.lines[line][1].map(terms)]),
      values: values.map(parts => parts.map(part => part && terms(part))),
    };
  }

  class Run {
    constructor(program, slots) {
      this.program = program;
      this.slots = slots.slice();
      this.products = new Array(program.monomials.length);
      this.known = new Array(program.values.length);
      for (const [name, parts] of program.lines) {
        this.slots.push(OPERATIONS[name](program.one, ...parts.map(part => this.sum(part))));
      }
    }
    product(place) {
      let result = this.products[place];
      if (result === undefined) {
        result = this.program.one;
        for (const slot of this.program.monomials[place]) result *= this.slots[slot];
        this.products[place] = result;
      }
      return result;
    }
    sum(terms) {
      let result = this.program.zero;
      for (const [coefficient, place] of terms) result += coefficient * this.product(place);
      return result;
    }
    value(place) {
      let result = this.known[place];
      if (result === undefined) {
        const [top, bottom] = this.program.values[place];
        result = this.known[place] = bottom === null ? this.sum(top) : this.sum(top) / this.sum(bottom);
      }
      return result;
    }
  }

  // whether every number on the way to `places` and the guards stays below 2^53 when no slot is above `largest`
  function safe(program, largest, places) {
    const slots = largest.slice();
    let most = Math.max(0, ...largest);
    const size = terms => {
      let total = 0;
      for (const [coefficient, place] of terms) {
        total += Math.abs(coefficient) * program.monomials[place].reduce((product, slot) => product * slots[slot], 1);
      }
      most = Math.max(most, total);
      return total;
    };
    for (const [name, parts] of program.lines) {
      const [way, result] = BOUNDS[name](...parts.map(size));
      most = Math.max(most, way);
      slots.push(result);
    }
    for (const place of places) program.values[place].filter(part => part !== null).forEach(size);
    for (const checks of program.guards.flat()) for (const [, ...parts] of checks) parts.forEach(size);
    return most < SAFE;
  }

  const HOLDS = {
    "==": value => value == 0,
    "!=": value => value != 0,
    "<": value => value < 0,
    "<=": value => value <= 0,
    ">": value => value > 0,
    ">=": value => value >= 0,
  };

  function meets(run, [relation, polynomial, divisor]) {
    const value = run.sum(polynomial);
    if (relation !== "divides") return HOLDS[relation](value);
    const by = run.sum(divisor);
    return by != 0 && value % by == 0;
  }

  const holds = (run, guard) => guard.some(checks => checks.every(check => meets(run, check)));

  // --- numbers as text ---

  const UNITS = ["", "k", "M", "G", "T", "P", "E", "Z", "Y"];
  const exact = value => value.toString().replace(/\B(?=(\d{3})+$)/g, ",");
  function si(value) {
    if (value < 0n) return "-" + si(-value);
    const digits = value.toString();
    if (digits.length < 4) return digits;
    let power = Math.min(Math.floor((digits.length - 1) / 3), UNITS.length - 1);
    for (;;) {
      const unit = 1000n ** BigInt(power);
      const places = Math.max(4 - (value / unit).toString().length, 0);
      const scale = 10n ** BigInt(places);
      const rounded = OPERATIONS.round_even(1n, value * scale, unit);
      if (rounded < 1000n * scale || power === UNITS.length - 1) {
        const text = rounded.toString().padStart(places + 1, "0");
        const whole = exact(text.slice(0, text.length - places));
        return `${whole}${places ? "." + text.slice(-places) : ""} ${UNITS[power]}`;
      }
      power += 1;
    }
  }
  const short = number => number >= 1000 ? number.toFixed(0) : String(Number(number.toPrecision(4)));
  function duration(seconds) {
    for (const [unit, scale] of [["s", 1], ["ms", 1e3], ["us", 1e6]]) {
      if (seconds * scale >= 1) return `${short(seconds * scale)} ${unit}`;
    }
    return `${short(seconds * 1e9)} ns`;
  }
  const tick = number => number < 1000 ? short(number) : si(BigInt(Math.round(number))).replace(/\.?0+ /, " ");
  const about = number => number < 1000 ? short(number) : si(BigInt(Math.round(number)));

  // --- the values of the names ---

  const gcd = (a, b) => OPERATIONS.gcd(1n, a, b);
  const reduced = (top, bottom) => {
    const common = gcd(top, bottom);
    return [top / common, bottom / common];
  };
  // a whole number, a decimal or a fraction; null where it is none
  function parsed(text, ratio) {
    text = text.trim();
    if (/^\d{1,18}$/.test(text)) return BigInt(text) > 0n ? [BigInt(text), 1n] : null;
    if (!ratio) return null;
    const decimal = /^(\d{0,9})\.(\d{1,9})$/.exec(text);
    if (decimal !== null) {
      const [top, bottom] = [BigInt((decimal[1] || "0") + decimal[2]), 10n ** BigInt(decimal[2].length)];
      return top > 0n ? reduced(top, bottom) : null;
    }
    const parts = /^(\d{1,9})\/(\d{1,9})$/.exec(text);
    if (parts === null || BigInt(parts[1]) === 0n || BigInt(parts[2]) === 0n) return null;
    return reduced(BigInt(parts[1]), BigInt(parts[2]));
  }

  const names = page.names.map((entry, index) => ({
    ...entry,
    field: document.getElementById(`value-${index}`),
    range: document.getElementById(`slide-${index}`),
  }));
  const byName = new Map(names.map(entry => [entry.name, entry]));

  function given() {
    const values = new Map(), wrong = [];
    for (const entry of names) {
      const value = parsed(entry.field.value, entry.ratio);
      entry.field.setAttribute("aria-invalid", String(value === null));
      if (value === null) {
        const what = entry.ratio ? "a positive number such as 0.75 or 3/4" : "a whole number of at least 1";
        wrong.push(`${entry.name} must be ${what}, not “${entry.field.value.slice(0, 30)}”.`);
      }
      values.set(entry.name, value);
    }
    return [values, wrong];
  }

  // --- networks ---

  const networks = page.networks.map((network, index) => ({
    ...network,
    index,
    forms: network.forms.map((form, place) => ({
      ...form,
      place,
      big: prepared(form.program, BigInt),
      small: null,
      math: document.getElementById(`math-${index}-${place}`),
    })),
    layer: null,
  }));
  const smallOf = form => form.small ??= prepared(form.program, Number);
  const KEYS = ["params", "macs", "flops", "activations"];

  const slotsOf = (network, values) => network.names.flatMap(([, label]) => {
    const entry = byName.get(label), [top, bottom] = values.get(label);
    return entry.ratio ? [top, bottom] : [top];
  });

  const MARKS = {"==": "=", "!=": "≠", "<=": "≤", ">=": "≥"};
  const inWords = text => text.replace(/==|!=|<=|>=/g, mark => MARKS[mark]);

  // the form that holds at these values, or why there is none
  function chosen(network, values) {
    const slots = slotsOf(network, values);
    let nearest = null;
    for (const form of network.forms) {
      const run = new Run(form.big, slots);
      const broken = form.conditions.filter((_, place) => !holds(run, form.big.guards[place]));
      if (!broken.length) return {form, run, problem: ""};
      if (nearest === null || broken.length < nearest.length) nearest = broken;
    }
    const needs = nearest.map(([text]) => inWords(text)).join(", and ");
    if (nearest.every(([, structural]) => !structural)) {
      return {form: null, run: null, problem: `There is no such ${network.name}: it needs ${needs}.`};
    }
    const settings = network.names.map(([name, label]) => ` --set ${name}=${byName.get(label).field.value.trim()}`);
    const command = network.command + settings.join("");
    return {
      form: null,
      run: null,
      problem: `The forms of ${network.name} on this page hold where ${needs}. Elsewhere: ${command}`,
    };
  }

  function figures(state) {
    const {form, run} = state;
    const totals = {};
    for (const [key, place] of Object.entries(form.totals)) totals[key] = run.value(place);
    if (form.alive.length) {
      let most = 0;
      for (let step = 1; step < form.alive.length; step += 1) {
        if (run.value(form.alive[step]) > run.value(form.alive[most])) most = step;
      }
      totals.peak = run.value(form.alive[most]);
      state.most = most;
    }
    if (page.device !== null) {
      state.times = form.paths.map((_, row) => timeOf(state, row));
      totals.time = state.times.reduce((sum, time) => sum + time, 0);
    }
    state.totals = totals;
  }

  const counted = () => `as ${convention?.value}`;
  const at = (state, key, row) => state.form.columns[key][state.form.lines[row]];
  // null where a network has no such number: a convention of another network, bytes of a number of copies that is free
  const columnAt = (state, key, row) => key in state.form.columns ? state.run.value(at(state, key, row)) : null;
  const countedAt = (state, row) => columnAt(state, counted(), row);
  const exactAt = (state, key, row) => {
    const value = columnAt(state, key, row);
    return value === null ? "–" : exact(value);
  };
  const pathAt = (state, row) => {
    const copies = columnAt(state, "copies", row) ?? 1n;
    return copies === 1n ? state.form.paths[row] : `${state.form.paths[row]} x ${copies}`;
  };
  const timeOf = (state, row) => Math.max(
    Number(columnAt(state, "executed", row)) / page.device.peak,
    Number(columnAt(state, "bytes", row)) / page.device.bandwidth,
  );
  const shapeAt = (state, key, row) => at(state, key, row).map(place => String(state.run.value(place))).join("x");

  // --- drawing ---

  const SVG = "http://www.w3.org/2000/svg";
  function draw(tag, attributes, ...children) {
    const element = document.createElementNS(SVG, tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  }
  const label = (x, y, text, more = {}) => draw("text", {x, y, ...more}, text);
  const nice = limit => {
    const power = 10 ** Math.floor(Math.log10(limit));
    return [1, 2, 5, 10].map(step => step * power).find(step => step * 4 >= limit) ?? power * 10;
  };

  const LEFT = 52;  // of a chart, for the numbers of its axis

  class Chart {
    constructor(id, height) {
      this.box = document.getElementById(id);
      this.height = height;
      this.width = 0;
      if (this.box === null) return;
      this.svg = draw("svg", {role: "img", height});
      this.box.append(this.svg);
      new ResizeObserver(() => {
        const width = Math.floor(this.box.clientWidth);
        if (width && width !== this.width) {
          this.width = width;
          this.svg.setAttribute("width", width);
          this.svg.setAttribute("viewBox", `0 0 ${width} ${this.height}`);
          redraw();
        }
      }).observe(this.box);
    }
    fill(title, ...parts) {
      this.svg.setAttribute("aria-label", title);
      this.svg.replaceChildren(...parts);
    }
    scale(most, count) {  // lines across, with their values; and how wide each of `count` things is
      const parts = [], step = nice(most || 1), low = this.height - 18, high = 16;
      const y = value => low - (low - high) * value / (most || 1);
      for (let value = 0; value <= most || value === 0; value += step) {
        parts.push(draw("line", {class: "grid", x1: LEFT, x2: this.width, y1: y(value), y2: y(value)}));
        parts.push(label(LEFT - 5, y(value) + 4, tick(value), {class: "tick", "text-anchor": "end"}));
      }
      const wide = (this.width - LEFT) / count;
      return {parts, low, y, wide, x: place => LEFT + place * wide};
    }
  }

  const COLOURS = 8;
  const bars = networks.map(network => new Chart(`bars-${network.index}`, 190));
  const memory = networks.map(network => new Chart(`memory-${network.index}`, 170));
  const roofline = new Chart("roofline", 300);
  const contours = networks.map(network => new Chart(`contours-${network.index}`, networks.length > 1 ? 300 : 340));
  const shown = document.getElementById("shown"), convention = document.getElementById("convention");
  const BAR_VALUES = {
    time: (state, row) => state.times[row],
    reported: (state, row) => Number(countedAt(state, row) ?? 0n),
    default: (state, row, key) => Number(columnAt(state, key, row)),
  };
  const barValue = (state, row) => (BAR_VALUES[shown.value] ?? BAR_VALUES.default)(state, row, shown.value);

  const kindOf = (state, row) => state.form.kinds[at(state, "kind", row)];

  // a colour for each kind that has a bar, the same in both networks; the heaviest kinds have one of their own
  function coloursOf(states) {
    const weight = new Map();
    for (const state of states) {
      if (state.form === null) continue;
      state.form.paths.forEach((_, row) => {
        const value = barValue(state, row), kind = kindOf(state, row);
        if (value) weight.set(kind, (weight.get(kind) ?? 0) + value);
      });
    }
    const order = [...weight.keys()].sort((a, b) => weight.get(b) - weight.get(a) || (a < b ? -1 : 1));
    return new Map(order.map((kind, place) => [kind, Math.min(place, COLOURS - 1)]));
  }

  function drawBars(network, state, most, colours) {
    const chart = bars[network.index];
    if (!chart.width) return;
    if (state.form === null) return chart.fill("No values", ...[]);
    const count = state.form.paths.length, {parts, low, y, x, wide} = chart.scale(most, count);
    const gap = wide > 4 ? 1 : 0, drawn = new Set();
    const paths = Array.from({length: COLOURS}, () => []);
    for (let row = 0; row < count; row += 1) {
      const value = barValue(state, row);
      if (!value) continue;
      const at = `M${x(row).toFixed(2)},${low}V${y(value).toFixed(1)}h${(wide - gap).toFixed(2)}V${low}z`;
      const kind = kindOf(state, row);
      drawn.add(kind);
      paths[colours.get(kind)].push(at);
    }
    paths.forEach((path, place) => {
      if (path.length) parts.push(draw("path", {class: `fill c${place}`, d: path.join("")}));
    });
    if (network.layer !== null && network.layer < count) {
      parts.push(draw("rect", {class: "cursor", x: x(network.layer), y: 0, width: Math.max(wide, 2), height: low}));
    }
    const heading = shown.value === "reported" ? `${convention.value} number` : shown.selectedOptions[0].textContent;
    parts.push(label(LEFT, chart.height - 4, "input", {class: "tick"}));
    parts.push(label(chart.width - 2, chart.height - 4, `${count} layers`, {class: "tick", "text-anchor": "end"}));
    chart.fill(`${heading} of each of ${count} layers of ${network.name}; the table of layers has every number`, ...parts);
    const legend = document.getElementById(`legend-${network.index}`), kinds = new Map();
    for (const [kind, place] of colours) {
      if (drawn.has(kind)) kinds.set(place, kinds.has(place) ? "others" : kind);
    }
    const wanted = [...kinds].join("\n");
    if (legend.dataset.kinds !== wanted) {
      legend.dataset.kinds = wanted;
      legend.replaceChildren(...[...kinds].map(([place, kind]) => {
        const item = document.createElement("li");
        item.append(draw("svg", {class: "key", width: 10, height: 10, "aria-hidden": "true"},
          draw("rect", {class: `fill c${place}`, width: 10, height: 10})), kind.replaceAll("_", " "));
        return item;
      }));
    }
  }

  const unitOf = (network, name) => network.conventions[name]?.unit ?? "";

  function readout(network, state) {
    const line = document.getElementById(`layer-${network.index}`);
    const row = network.layer;
    if (row === null || state.form === null || row >= state.form.paths.length) return;
    const parts = KEYS.map(key => `${page.headings[key]} ${exact(columnAt(state, key, row))}`);
    const own = convention === null ? null : countedAt(state, row);
    if (own !== null) parts.push(`${unitOf(network, convention.value)} as ${convention.value} counts ${exact(own)}`);
    if (state.times) parts.push(`time ${duration(state.times[row])}`);
    const shapes = `${shapeAt(state, "inputs", row)} → ${shapeAt(state, "outputs", row)}`;
    const kind = kindOf(state, row).replaceAll("_", " ");
    line.textContent = `${row + 1}. ${pathAt(state, row)}: ${kind}, ${shapes}; ${parts.join(", ")}`;
  }

  function drawMemory(network, state, most) {
    const chart = memory[network.index];
    if (chart.box === null || !chart.width) return;
    if (state.form === null || !state.form.alive.length) return chart.fill("No values", ...[]);
    const count = state.form.alive.length, {parts, low, y, x} = chart.scale(most, count);
    let path = `M${LEFT},${low}`;
    state.form.alive.forEach((place, index) => {
      path += `V${y(Number(state.run.value(place))).toFixed(1)}H${x(index + 1).toFixed(2)}`;
    });
    parts.push(draw("path", {class: "area", d: `${path}V${low}z`}));
    const middle = x(state.most + 0.5), top = y(Number(state.totals.peak));
    const where = state.form.paths[state.form.alive_rows[state.most]];
    const words = `peak ${si(state.totals.peak)}B`;
    document.getElementById(`peak-${network.index}`).textContent = `The peak of ${exact(state.totals.peak)} bytes is at ${where}.`;
    parts.push(draw("circle", {class: "mark", cx: middle, cy: top, r: 4}));
    const right = middle > chart.width / 2;
    parts.push(label(right ? middle - 8 : middle + 8, Math.max(top - 4, 11), words, {class: "say", "text-anchor": right ? "end" : "start"}));
    parts.push(label(LEFT, chart.height - 4, "first step", {class: "tick"}));
    parts.push(label(chart.width - 2, chart.height - 4, `${count} steps`, {class: "tick", "text-anchor": "end"}));
    chart.fill(`Bytes alive at each of ${count} steps of ${network.name}: ${words} at ${where}`, ...parts);
  }

  function drawRoofline(states) {
    if (roofline.box === null || !roofline.width) return;
    const {peak, bandwidth} = page.device, points = [];
    states.forEach((state, place) => {
      if (state.form === null) return;
      state.form.paths.forEach((_, row) => {
        const flops = Number(columnAt(state, "executed", row)), bytes = Number(columnAt(state, "bytes", row));
        if (flops && bytes) points.push([flops / bytes, flops / state.times[row], place, false]);
      });
      const sums = ["executed", "bytes"].map(key =>
        state.form.paths.reduce((sum, _, row) => sum + Number(columnAt(state, key, row)), 0));
      if (sums[0] && sums[1]) points.push([sums[0] / sums[1], sums[0] / state.totals.time, place, true]);
    });
    if (!points.length) return roofline.fill("No values", ...[]);
    const ridge = peak / bandwidth;
    const lows = points.map(point => point[0]).concat(ridge), rates = points.map(point => point[1]).concat(peak);
    const [x0, x1] = [Math.floor(Math.log10(Math.min(...lows))), Math.ceil(Math.log10(Math.max(...lows)) + 0.3)];
    const [y0, y1] = [Math.floor(Math.log10(Math.min(...rates))), Math.ceil(Math.log10(peak) + 0.1)];
    const left = LEFT, low = roofline.height - 34, right = roofline.width - 8, high = 12;
    const x = value => left + (right - left) * (Math.log10(value) - x0) / (x1 - x0);
    const y = value => low - (low - high) * (Math.log10(value) - y0) / (y1 - y0);
    const parts = [];
    for (let power = x0; power <= x1; power += 1) {
      parts.push(draw("line", {class: "grid", x1: x(10 ** power), x2: x(10 ** power), y1: high, y2: low}));
      const anchor = power === x1 ? "end" : "middle";
      parts.push(label(x(10 ** power), low + 13, tick(10 ** power), {class: "tick", "text-anchor": anchor}));
    }
    for (let power = y0; power <= y1; power += 1) {
      parts.push(draw("line", {class: "grid", x1: left, x2: right, y1: y(10 ** power), y2: y(10 ** power)}));
      parts.push(label(left - 4, y(10 ** power) + 4, tick(10 ** power), {class: "tick", "text-anchor": "end"}));
    }
    const start = 10 ** x0, end = 10 ** x1, foot = Math.max(start, 10 ** y0 / bandwidth);
    parts.push(draw("path", {
      class: "roof",
      d: `M${x(foot)},${y(foot * bandwidth)}L${x(ridge)},${y(peak)}H${x(end)}`,
    }));
    const before = x(ridge) > (left + right) / 2;
    parts.push(label(x(ridge) + (before ? -6 : 6), y(peak) - 5, `ridge ${short(ridge)} FLOPs/byte`,
      {class: "say", "text-anchor": before ? "end" : "start"}));
    for (const place of states.keys()) {
      const dots = points.filter(point => point[2] === place && !point[3]);
      const d = dots.map(([a, b]) => `M${x(a).toFixed(1)},${y(b).toFixed(1)}h0`).join("");
      if (d) parts.push(draw("path", {class: `dots n${place}`, d}));
    }
    const words = [];
    for (const [a, b, place, whole] of points) {
      if (!whole) continue;
      parts.push(draw("circle", {class: `whole n${place}`, cx: x(a), cy: y(b), r: 7}));
      words.push(`${networks[place].name}: ${short(a)} FLOPs per byte, at most ${about(b)}FLOP/s`);
    }
    parts.push(label((left + right) / 2, roofline.height - 4, "FLOPs per byte", {class: "tick", "text-anchor": "middle"}));
    roofline.fill(`Roofline of ${page.device.title}. ${words.join("; ")}`, ...parts);
    document.getElementById("roofline-words").textContent = `${words.join("; ")}. Small dots are layers.`;
  }

  // --- the budget over two names ---

  const axisX = document.getElementById("axis-x"), axisY = document.getElementById("axis-y");
  const bounded = document.getElementById("bounded"), budget = document.getElementById("budget");
  const mapped = networks.map(() => "");  // what the contours were last drawn for

  function positions(entry, count) {
    const [first, last, step] = entry.slider.map(text => parsed(text, true));
    const bottom = step[1], at = ([a, b]) => a * bottom / b;
    const all = [], room = (at(last) - at(first)) / at(step);
    const every = room / BigInt(count) + 1n;
    for (let top = at(first); top <= at(last); top += at(step) * every) all.push(reduced(top, bottom));
    return all;
  }

  const BUDGET = /^(\d{1,15}(?:\.\d{1,9})?)\s*([kKMGT]?)$/;
  function budgetOf(text) {
    const match = BUDGET.exec(text.trim().replaceAll(",", ""));
    return match === null ? null : Number(match[1]) * 1000 ** Math.max(0, "kMGT".indexOf(match[2].replace("K", "k")) + (match[2] ? 1 : 0));
  }

  function drawContours(network, values) {
    const chart = contours[network.index];
    if (chart.box === null || !chart.width || axisX === null) return;
    const [ex, ey] = [byName.get(axisX.value), byName.get(axisY.value)];
    const limit = budgetOf(budget.value);
    budget.setAttribute("aria-invalid", String(limit === null));
    const say = document.getElementById(`budget-words-${network.index}`);
    if (ex === ey || limit === null) {
      chart.fill("No values");
      say.textContent = ex === ey ? "Choose two different names." : "A budget is a number such as 300M or 1.5G.";
      mapped[network.index] = "";
      return;
    }
    const others = names.filter(entry => entry !== ex && entry !== ey).map(entry => [entry.name, entry.field.value]);
    const wanted = JSON.stringify([ex.name, ey.name, bounded.value, limit, others, chart.width]);
    const left = LEFT, low = chart.height - 34, right = chart.width - 10, high = 10;
    const spot = (entry, from, to) => {
      const [a, b] = [entry.slider[0], entry.slider[1]].map(text => ratioOf(parsed(text, true)));
      return value => from + (to - from) * (value - a) / (b - a);
    };
    const x = spot(ex, left, right), y = spot(ey, low, high);
    if (mapped[network.index] !== wanted) {
      mapped[network.index] = wanted;
      const fine = bounded.value === "peak" ? 24 : 40;
      const xs = positions(ex, fine), ys = positions(ey, fine);
      const grid = gridOf(network, values, ex, ey, xs, ys);
      const parts = [draw("rect", {class: "none", x: left, y: high, width: right - left, height: low - high})];
      const across = xs.map(value => x(ratioOf(value))), up = ys.map(value => y(ratioOf(value)));
      const drawn = areas(grid, across, up, limit);
      parts.push(draw("path", {class: "known", d: drawn.known}), draw("path", {class: "within", d: drawn.within}));
      let largest = 0;
      for (const line of grid) for (const value of line) if (value > largest) largest = value;
      for (let level = nice(largest) / 2; level < largest; level += nice(largest) / 2) {
        parts.push(draw("path", {class: "level", d: areas(grid, across, up, level).line}));
      }
      parts.push(draw("path", {class: "bound", d: drawn.line}));
      for (const [entry, at] of [[ex, x], [ey, y]]) {
        for (const text of [entry.slider[0], entry.slider[1]]) {
          const place = at(ratioOf(parsed(text, true)));
          parts.push(entry === ex
            ? label(place, low + 14, text, {class: "tick", "text-anchor": text === entry.slider[0] ? "start" : "end"})
            : label(left - 5, place + (text === entry.slider[0] ? 0 : 9), text, {class: "tick", "text-anchor": "end"}));
        }
      }
      parts.push(label((left + right) / 2, chart.height - 4, ex.name, {class: "tick", "text-anchor": "middle"}));
      parts.push(label(left - 5, (low + high) / 2, ey.name, {class: "tick", "text-anchor": "end"}));
      const mark = draw("circle", {class: "mark", r: 5, id: `here-${network.index}`});
      chart.fill("", ...parts, mark);
    }
    const here = document.getElementById(`here-${network.index}`);
    const [a, b] = [ex, ey].map(entry => ratioOf(values.get(entry.name)));
    here.setAttribute("cx", Math.min(Math.max(x(a), left), right));
    here.setAttribute("cy", Math.min(Math.max(y(b), high), low));
    const state = current[network.index], total = state && state.form !== null ? Number(state.totals[bounded.value]) : NaN;
    const verdict = Number.isNaN(total) ? "Here there are no values." : total <= limit
      ? `Here it is met: ${about(total)}.` : `Here it is not met: ${about(total)}.`;
    const heading = bounded.selectedOptions[0].textContent;
    say.textContent = `${heading} of ${network.name} at most ${budget.value.trim()}: the tinted side of the bold line. ${verdict}`;
    chart.svg.setAttribute("aria-label", `${say.textContent} Axes: ${ex.name} and ${ey.name}.`);
  }

  const ratioOf = ([top, bottom]) => Number(top) / Number(bottom);

  // the bounded quantity at every point of a grid; NaN where the network has no form
  function gridOf(network, values, ex, ey, xs, ys) {
    const largest = new Map(values);
    const most = (list, part) => list.reduce((a, b) => a > b[part] ? a : b[part], 1n);
    largest.set(ex.name, [most(xs, 0), most(xs, 1)]);
    largest.set(ey.name, [most(ys, 0), most(ys, 1)]);
    const top = slotsOf(network, largest).map(Number);
    const placesOf = form => bounded.value === "peak" ? form.alive : [form.totals[bounded.value]];
    const ready = network.forms.map(form => {
      const program = smallOf(form);
      const of = safe(program, top, placesOf(form)) ? Number : BigInt;
      return [sliced(of === Number ? program : form.big, top.length, placesOf(form)), of];
    });
    const point = new Map(values);
    return ys.map(v => xs.map(u => {
      point.set(ex.name, u).set(ey.name, v);
      const slots = slotsOf(network, point);
      for (const [program, of] of ready) {
        const run = new Run(program, of === Number ? slots.map(Number) : slots);
        if (program.guards.every(guard => holds(run, guard))) {
          let best = NaN;
          for (const place of program.values.keys()) {
            const value = Number(run.value(place));
            if (!(value <= best)) best = value;
          }
          return best;
        }
      }
      return NaN;
    }));
  }

  // marching squares: where the grid is known, where it is at most `level`, and the line between; neighbours are one area
  function areas(grid, across, up, level) {
    let known = "", within = "", line = "";
    const [xs, ys] = [across, up].map(list => list.map(value => value.toFixed(1)));
    const box = (i, end, j) => `M${xs[i]},${ys[j]}H${xs[end]}V${ys[j + 1]}H${xs[i]}z`;
    for (let j = 0; j + 1 < up.length; j += 1) {
      let some = -1, whole = -1;  // where a stretch of known cells began, and one of cells within
      for (let i = 0; i < across.length; i += 1) {
        const values = i + 1 < across.length ? [grid[j][i], grid[j][i + 1], grid[j + 1][i + 1], grid[j + 1][i]] : [NaN];
        const exists = !values.some(Number.isNaN), met = exists ? values.filter(value => value <= level).length : 0;
        if (exists && some < 0) some = i;
        if (!exists && some >= 0) {
          known += box(some, i, j);
          some = -1;
        }
        if (met === 4 && whole < 0) whole = i;
        if (met < 4 && whole >= 0) {
          within += box(whole, i, j);
          whole = -1;
        }
        if (met === 0 || met === 4) continue;
        const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]].map(([a, b]) => [across[a], up[b], grid[b][a]]);
        const inside = [], cuts = [];
        corners.forEach((corner, place) => {
          const next = corners[(place + 1) % 4];
          if (corner[2] <= level) inside.push(corner);
          if ((corner[2] <= level) !== (next[2] <= level)) {
            const share = (level - corner[2]) / (next[2] - corner[2]);
            const cut = [corner[0] + share * (next[0] - corner[0]), corner[1] + share * (next[1] - corner[1])];
            inside.push(cut);
            cuts.push(cut);
          }
        });
        within += `M${inside.map(([a, b]) => `${a.toFixed(1)},${b.toFixed(1)}`).join("L")}z`;
        for (let cut = 0; cut + 1 < cuts.length; cut += 2) {
          line += `M${cuts[cut].map(value => value.toFixed(1))}L${cuts[cut + 1].map(value => value.toFixed(1))}`;
        }
      }
    }
    return {known, within, line};
  }

  // --- the table of layers, which is written while it is open ---

  const TABLE = [
    pathAt,
    kindOf,
    (state, row) => shapeAt(state, "inputs", row),
    (state, row) => shapeAt(state, "outputs", row),
    ...[...KEYS, "bytes"].map(key => (state, row) => exactAt(state, key, row)),
    (state, row) => exactAt(state, counted(), row),
  ];
  function writeTable(network, state) {
    const details = document.getElementById(`rows-${network.index}`);
    if (!details.open) return;
    const body = details.querySelector("tbody");
    if (convention !== null) details.querySelector(".counted").textContent = `${convention.value} ${unitOf(network, convention.value)}`;
    const count = state.form === null ? 0 : state.form.paths.length;
    while (body.rows.length > count) body.deleteRow(-1);
    while (body.rows.length < count) {
      const line = body.insertRow();
      for (const index of TABLE.keys()) {
        const cell = index ? line.insertCell() : line.appendChild(document.createElement("th"));
        if (!index) cell.scope = "row";
        cell.append("");
      }
    }
    for (let row = 0; row < count; row += 1) {
      const cells = body.rows[row].cells;
      TABLE.forEach((write, index) => {
        const text = write(state, row);
        if (cells[index].firstChild.data !== text) cells[index].firstChild.data = text;
      });
    }
  }

  // --- everything together ---

  let current = [];
  let redrawn = null;

  function writeTotals(states) {
    for (const cell of document.querySelectorAll("[data-total]")) {
      const [, place, key] = /^(\d+) (.*)$/.exec(cell.dataset.total);
      const state = states[place], value = state.form === null ? undefined : state.totals[key];
      const unit = key === "peak" ? "B" : key.startsWith("as ") ? ` ${unitOf(networks[place], key.slice(3))}` : "";
      const [main, digits] = cell.children;
      main.textContent = value === undefined ? "–" : key === "time" ? duration(value) : (si(value) + unit).replace("  ", " ");
      digits.textContent = value === undefined || key === "time" || value < 1000n ? "" : exact(value);
    }
    for (const cell of document.querySelectorAll("[data-ratio]")) {
      const [a, b] = states.map(state => state.form === null ? undefined : state.totals[cell.dataset.ratio]);
      cell.textContent = a === undefined || b === undefined || b == 0 ? "–" : short(Number(a) / Number(b));
    }
  }

  function update() {
    const [values, wrong] = given();
    const blank = {form: null, run: null, problem: ""};
    const states = networks.map(network =>
      network.names.some(([, label]) => values.get(label) === null) ? {...blank} : chosen(network, values));
    for (const state of states) if (state.form !== null) figures(state);
    current = states;
    const problems = [...wrong, ...states.map(state => state.problem).filter(Boolean)];
    const status = document.getElementById("status");
    const words = problems.join(" ");
    if (status.textContent !== words) status.textContent = words;
    writeTotals(states);
    if (convention !== null) {
      const of = networks.find(network => convention.value in network.conventions);
      document.getElementById("convention-words").textContent = of.conventions[convention.value].words;
    }
    for (const network of networks) {
      for (const form of network.forms) form.math.hidden = form !== states[network.index].form;
    }
    redraw();
    if (!wrong.length) redrawn ??= requestAnimationFrame(() => {
      redrawn = null;
      const [latest, bad] = given();
      if (!bad.length) for (const network of networks) drawContours(network, latest);
    });
    keep();
  }

  function redraw() {
    if (!current.length) return;
    const rowsOf = state => state.form === null ? [0] : state.form.paths.map((_, row) => barValue(state, row));
    const most = Math.max(...current.map(state => Math.max(...rowsOf(state))));
    const peak = Math.max(...current.map(state => state.form === null ? 0 : Number(state.totals.peak ?? 0n)));
    const colours = coloursOf(current);
    for (const network of networks) {
      const state = current[network.index];
      drawBars(network, state, most, colours);
      drawMemory(network, state, peak);
      readout(network, state);
      writeTable(network, state);
    }
    if (page.device !== null) drawRoofline(current);
    if (redrawn === null && axisX !== null && networks.some(({index}) => contours[index].width && mapped[index] === "")) {
      const [values, wrong] = given();
      if (!wrong.length) for (const network of networks) drawContours(network, values);
    }
  }

  // the axes at first: the two names whose doubling adds most MACs
  function chooseAxes() {
    const [values] = given();
    const macs = changed => networks.reduce((sum, network) => {
      const form = network.forms[0];
      return sum + new Run(form.big, slotsOf(network, changed)).value(form.totals.macs);
    }, 0n);
    const order = names.map(({name}) => {
      const [top, bottom] = values.get(name);
      return [name, macs(new Map(values).set(name, reduced(2n * top, bottom)))];
    }).sort(([, a], [, b]) => a < b ? 1 : a > b ? -1 : 0);
    axisX.value = order[0][0];
    axisY.value = order[1][0];
  }
  if (axisX !== null) chooseAxes();

  // --- the state of the page is in its address ---

  const choices = [convention, shown, axisX, axisY, bounded, budget].filter(Boolean);
  const starts = new Map(choices.map(choice => [choice.id, choice.value]));
  let kept = null;

  function keep() {
    clearTimeout(kept);
    kept = setTimeout(() => {
      const state = new URLSearchParams();
      for (const entry of names) if (entry.field.value !== entry.value) state.set(entry.name, entry.field.value);
      for (const choice of choices) if (choice.value !== starts.get(choice.id)) state.set(`-${choice.id}`, choice.value);
      const hash = state.toString();
      if (hash !== location.hash.slice(1)) location.replace(`#${hash}`);
    }, 250);
  }

  function restore() {
    const state = new URLSearchParams(location.hash.slice(1));
    for (const entry of names) entry.field.value = (state.get(entry.name) ?? entry.value).slice(0, 40);
    for (const choice of choices) {
      const value = state.get(`-${choice.id}`) ?? starts.get(choice.id);
      if (choice.options === undefined || [...choice.options].some(option => option.value === value)) choice.value = value;
    }
    for (const entry of names) slide(entry);
    update();
  }

  function slide(entry) {
    const value = parsed(entry.field.value, entry.ratio);
    if (value !== null) entry.range.value = String(ratioOf(value));
  }

  for (const entry of names) {
    entry.field.addEventListener("input", () => {
      slide(entry);
      update();
    });
    entry.range.addEventListener("input", () => {
      entry.field.value = entry.range.value;
      update();
    });
  }
  for (const choice of choices) choice.addEventListener("input", update);
  document.getElementById("reset")?.addEventListener("click", () => {
    for (const entry of names) {
      entry.field.value = entry.value;
      slide(entry);
    }
    update();
  });
  for (const network of networks) {
    const box = bars[network.index].box;
    const choose = row => {
      const form = current[network.index].form;
      if (form === null) return;
      network.layer = Math.min(Math.max(row, 0), form.paths.length - 1);
      redraw();
    };
    const at = event => {
      const form = current[network.index].form, edges = box.getBoundingClientRect();
      if (form !== null) choose(Math.floor((event.clientX - edges.left - LEFT) / (edges.width - LEFT) * form.paths.length));
    };
    box.addEventListener("pointermove", at);
    box.addEventListener("pointerdown", at);
    box.addEventListener("keydown", event => {
      const moves = {ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity};
      if (!(event.key in moves)) return;
      event.preventDefault();
      const start = network.layer ?? (moves[event.key] > 0 ? -1 : 0);
      choose(start + moves[event.key]);
    });
    document.getElementById(`rows-${network.index}`).addEventListener("toggle", redraw);
  }
  window.addEventListener("hashchange", () => {
    const state = new URLSearchParams(location.hash.slice(1));
    if (names.some(entry => (state.get(entry.name) ?? entry.value) !== entry.field.value)) restore();
  });
  restore();
})();
