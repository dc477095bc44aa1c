'use strict';
// Draws a report's charts from the JSON in #charts, in the page's colours, and sorts its tables.

const charts = JSON.parse(document.getElementById('charts').textContent);
const dark = matchMedia('(prefers-color-scheme: dark)');
const narrow = matchMedia('(max-width: 600px)');
const coarse = matchMedia('(pointer: coarse)');
const dashes = ['solid', 'dash', 'dot', 'dashdot'];
const symbols = ['circle', 'square', 'diamond', 'triangle-up', 'x', 'triangle-down', 'cross', 'star'];

// The dash of a series; the ninth has the first one's colour, and another dash.
const dashOf = number => dashes[(number + Math.floor(number / 8)) % 4];
const variable = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const seriesColour = number => variable(`--series-${number % 8}`);
const faded = (colour, share) => colour + Math.round(share * 255).toString(16).padStart(2, '0');
// Plotly reads tags, entities and %{…} in texts; names are to be shown as they are.
const plain = text => String(text).replace(/[&<>%]/g, sign => `&#${sign.charCodeAt(0)};`);
const wrapped = (text, width) => text.match(new RegExp(`.{1,${width}}(?:[\\s_.+-]|$)|.{1,${width}}`, 'g')) ?? [text];
const number = (share, digits) => share ? `.${Math.max(digits - 2, 0)}%` : `.${digits}~g`;

// An axis with its title; a logarithmic one that is long shows powers of ten only.
function axis(spec, values = []) {
  const line = variable('--line');
  return {
    title: { text: wrapped(spec.title, narrow.matches ? 28 : 80).map(plain).join('<br>'), font: { size: 13 }, standoff: 8 }, automargin: true,
    type: spec.isLogarithmic ? 'log' : 'linear', tickformat: spec.isShare ? '~%' : undefined,
    exponentformat: 'power', minexponent: 6, separatethousands: true, nticks: narrow.matches ? 5 : 8,
    dtick: !spec.isLogarithmic ? spec.tick : decades(values) > 1.5 ? 1 : undefined,
    range: spec.range ?? aroundOne(values), gridcolor: line, linecolor: line, zeroline: false, ticks: 'outside', tickcolor: line,
  };
}

// A range for numbers that are all the same, from 0 on: Plotly's own would hide how large they are.
function aroundOne(values) {
  const known = values.filter(value => value != null);
  const [first] = known;
  return first && known.every(value => value === first) ? [Math.min(0, 2 * first), Math.max(0, 2 * first)] : undefined;
}

// How many powers of ten numbers span.
function decades(values) {
  const positive = values.filter(value => value > 0);
  return positive.length ? Math.log10(Math.max(...positive) / Math.min(...positive)) : 0;
}

function layout(chart, more = {}) {
  const all = key => (chart.series ?? []).flatMap(series => series[key]);
  return {
    paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)', showlegend: false, hovermode: 'x unified',
    font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: variable('--ink') },
    margin: { l: 8, r: 14, t: 10, b: 8 }, dragmode: coarse.matches ? false : 'zoom',
    hoverlabel: { bgcolor: variable('--card'), bordercolor: variable('--line'), font: { color: variable('--ink') } },
    xaxis: axis(chart.x), yaxis: axis(chart.y, all('y')), ...more,
  };
}

// Lines with bands, points and bars over a common axis. Where something happened is a dotted line; of many, only its foot.
function lines(chart) {
  const traces = chart.series.flatMap((series, index) => {
    const isReference = series.style === 'reference';
    const colour = isReference ? variable('--muted') : seriesColour(series.colour);
    const own = { legendgroup: `${index}`, name: plain(series.name) };
    const bar = series.style === 'bars';
    const value = number(chart.y.isShare, 4);
    const main = {
      ...own, x: series.x, y: series.y, type: bar ? 'bar' : 'scatter',
      mode: { points: 'markers', marked: 'lines+markers' }[series.style] ?? 'lines',
      line: { color: colour, width: isReference ? 1.5 : 2, dash: isReference ? 'dash' : dashOf(series.colour) },
      marker: { color: bar ? faded(colour, 0.55) : colour, size: 6, symbol: symbols[series.colour % 8], line: bar ? { color: colour, width: 1 } : {} },
      width: bar ? series.width : undefined,
      hovertemplate: `%{y:${value}}`, hoverinfo: isReference ? 'skip' : undefined,
    };
    if (isReference) delete main.hovertemplate;
    if (!series.lower) return [main];
    const inside = series.x.map((_, i) => i).filter(i => series.lower[i] != null && series.upper[i] != null);
    const back = inside.slice().reverse();
    main.customdata = series.x.map((_, i) => [series.lower[i], series.upper[i]]);
    main.hovertemplate = `%{y:${value}} [%{customdata[0]:${value}}, %{customdata[1]:${value}}]`;
    const band = {
      ...own, x: [...inside, ...back].map(i => series.x[i]),
      y: [...inside.map(i => series.upper[i]), ...back.map(i => series.lower[i])],
      fill: 'toself', fillcolor: faded(colour, 0.2), line: { width: 0 }, mode: 'lines', hoverinfo: 'skip',
    };
    return inside.length > 1 ? [band, main] : [main];
  });
  const shapes = (chart.marks ?? []).map(mark => ({
    type: 'line', x0: mark, x1: mark, yref: 'paper', y0: 0, y1: chart.marks.length > 12 ? 0.06 : 1, layer: 'below',
    line: { color: variable('--bad'), width: 1, dash: 'dot' },
  }));
  return { traces, layout: layout(chart, { shapes, barmode: 'overlay' }) };
}

// A row for each name: a mean with its interval, and faint points of which it is the mean.
function forest(chart) {
  const place = index => chart.rows.length - 1 - index;
  const colour = row => row.tone === 'good' ? variable('--good') : row.tone === 'bad' ? variable('--bad') : variable('--accent');
  const format = number(chart.x.isShare, 4);
  const traces = chart.rows.flatMap((row, index) => [
    {
      x: row.points, y: row.points.map((_, i) => place(index) - 0.17 - 0.05 * (i % 3)), mode: 'markers', hoverinfo: 'skip',
      marker: { color: faded(colour(row), 0.45), size: 6 },
    },
    row.mean == null ? {} : {
      x: [row.mean], y: [place(index)], mode: 'markers', name: plain(row.name),
      marker: { color: colour(row), size: 11, symbol: { good: 'triangle-right', bad: 'triangle-left' }[row.tone] ?? 'square' },
      error_x: row.lower == null ? undefined : {
        type: 'data', symmetric: false, array: [row.upper - row.mean], arrayminus: [row.mean - row.lower],
        color: colour(row), thickness: 2, width: 6,
      },
      customdata: [[row.lower, row.upper]],
      hovertemplate: `${plain(row.name)}: %{x:${format}}`
        + (row.lower == null ? '' : ` [%{customdata[0]:${format}}, %{customdata[1]:${format}}]`) + '<extra></extra>',
    },
  ]);
  const shapes = chart.reference == null ? [] : [{
    type: 'line', x0: chart.reference, x1: chart.reference, yref: 'paper', y0: 0, y1: 1,
    line: { color: variable('--muted'), width: 1.5, dash: 'dash' },
  }];
  const names = chart.rows.map(row => wrapped(row.name, narrow.matches ? 14 : 28).map(plain));
  const tallest = Math.max(...names.map(lines => lines.length));
  const yaxis = {
    ...axis(chart.y), tickvals: chart.rows.map((_, index) => place(index)), ticktext: names.map(lines => lines.join('<br>')), nticks: undefined,
    range: [-0.6, chart.rows.length - 0.5], showgrid: false, ticks: '', fixedrange: true, title: { text: '' },
  };
  return { traces, layout: layout(chart, { shapes, yaxis, hovermode: 'closest' }), height: 90 + Math.max(62, 16 * tallest + 16) * chart.rows.length };
}

// Heights over a plane.
function grid(chart) {
  const traces = [{
    type: 'contour', x: chart.z.x, y: chart.z.y, z: chart.z.values, colorscale: 'Viridis', line: { width: 0.5 },
    colorbar: {
      title: { text: plain(chart.z.title), side: 'right' }, thickness: 12, outlinewidth: 0, len: 1, exponentformat: 'power',
    },
    hovertemplate: '(%{x:.3~g}, %{y:.3~g}): %{z:.4~g}<extra></extra>',
  }, {
    x: [0], y: [0], mode: 'markers', marker: { symbol: 'cross', size: 11, color: '#ffffff', line: { color: '#000000', width: 1 } },
    hovertemplate: 'the trained weights<extra></extra>',
  }];
  return { traces, layout: layout(chart, { hovermode: 'closest' }) };
}

const builders = { lines, forest, grid };
const options = {
  responsive: true, displaylogo: false,
  modeBarButtonsToRemove: ['select2d', 'lasso2d', 'autoScale2d', 'zoomIn2d', 'zoomOut2d'],
};

function draw(plot) {
  const chart = charts[plot.dataset.chart];
  if (plot.isLogarithmic != null) chart.y.isLogarithmic = plot.isLogarithmic;
  const built = builders[chart.kind](chart);
  if (built.height) plot.style.height = `${built.height}px`;
  const hidden = plot.hidden_ ?? new Set();
  for (const trace of built.traces) trace.visible = !hidden.has(trace.legendgroup);
  built.layout.width = plot.clientWidth;
  built.layout.height = plot.clientHeight;
  return Plotly.react(plot, built.traces, built.layout, options);
}

// The legend is HTML: it wraps, prints, and can be used from the keyboard.
function legend(plot) {
  const chart = charts[plot.dataset.chart];
  const tools = plot.parentElement.querySelector('.tools');
  tools.replaceChildren();
  const button = (html, text, pressed, action) => {
    const element = document.createElement('button');
    element.type = 'button';
    element.innerHTML = html;
    element.append(Object.assign(document.createElement('span'), { textContent: text }));
    element.setAttribute('aria-pressed', pressed);
    element.onclick = () => {
      action();
      draw(plot);
      legend(plot);
    };
    tools.append(element);
    return element;
  };
  plot.hidden_ ??= new Set();
  const series = chart.series ?? [];
  series.forEach((one, index) => {
    if (series.length === 1 && one.style !== 'reference' && !(chart.marks ?? []).length) return;
    const colour = one.style === 'reference' ? 'var(--muted)' : `var(--series-${one.colour % 8})`;
    const gaps = { solid: '', dash: '6 3', dot: '2 2', dashdot: '6 2 2 2' }[one.style === 'reference' ? 'dash' : dashOf(one.colour)];
    const stroke = `<line x1="0" y1="6" x2="24" y2="6" stroke="${colour}" stroke-width="3" stroke-dasharray="${gaps}"/>`;
    const block = `<rect x="6" y="0" width="12" height="12" fill="${colour}"/>`;
    const dot = `<circle cx="12" cy="6" r="4" fill="${colour}"/>`;
    const picture = { bars: block, points: dot }[one.style] ?? stroke;
    const group = `${index}`;
    button(
      `<svg width="24" height="12" aria-hidden="true">${picture}</svg>`, one.name, !plot.hidden_.has(group),
      () => plot.hidden_.delete(group) || plot.hidden_.add(group));
  });
  if (chart.kind === 'lines' && chart.canBeLogarithmic) {
    plot.isLogarithmic ??= chart.y.isLogarithmic;
    const toggle = button('', 'log scale', plot.isLogarithmic, () => { plot.isLogarithmic = !plot.isLogarithmic; });
    toggle.className = 'scale';
  }
}

const plots = [...document.querySelectorAll('.plot')];
const drawAll = () => Promise.all(plots.map(draw));

// Sorts a table by a column; the second click turns the order round.
function sort(head) {
  const table = head.closest('table');
  const body = table.tBodies[0];
  const column = [...head.parentElement.children].indexOf(head);
  const ascending = head.getAttribute('aria-sort') !== 'ascending';
  for (const other of head.parentElement.children) other.removeAttribute('aria-sort');
  head.setAttribute('aria-sort', ascending ? 'ascending' : 'descending');
  const key = row => {
    const cell = row.cells[column];
    return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value);
  };
  const compare = (a, b) => {
    if (typeof a === 'number' && typeof b === 'number') return a - b;
    // Numbers before cells without one, whatever the order.
    if (typeof a !== typeof b) return (typeof a === 'number' ? -1 : 1) * (ascending ? 1 : -1);
    return a.localeCompare(b, 'en', { numeric: true });
  };
  const rows = [...body.rows].sort((a, b) => compare(key(a), key(b)) * (ascending ? 1 : -1));
  body.append(...rows);
}
for (const button of document.querySelectorAll('th button')) button.onclick = () => sort(button.parentElement);

plots.forEach(legend);
drawAll().then(() => { document.documentElement.dataset.drawn = 'true'; });
dark.addEventListener('change', drawAll);
narrow.addEventListener('change', drawAll);
// Paper is white and narrower, and shows configurations that are folded; long tables stay so.
addEventListener('beforeprint', () => {
  document.documentElement.classList.add('print');
  for (const folded of document.querySelectorAll('details:not([open]):has(pre)')) {
    folded.open = true;
    folded.dataset.folded = '';
  }
  for (const plot of plots) plot.style.width = plot.closest('figure').matches('.wide, :only-child') ? '680px' : '330px';
  drawAll();
});
addEventListener('afterprint', () => {
  document.documentElement.classList.remove('print');
  for (const folded of document.querySelectorAll('details[data-folded]')) {
    folded.open = false;
    delete folded.dataset.folded;
  }
  for (const plot of plots) plot.style.width = '';
  drawAll();
});
