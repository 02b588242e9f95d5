"use strict";

{
  const box = document.getElementById("chart");
  const live = document.getElementById("live");
  const LATE_AFTER = 12000;
  const HEIGHT = 240;
  let chart = null;
  let answeredAt = Date.now();

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const series = () => JSON.parse(document.getElementById("chart-data").dataset.series);

  // uPlot draws bars on top of each other: the back one is the sum, so that both can be read.
  const stacked = ([hours, said, answered]) => [hours, said.map((count, index) => count + answered[index]), said];

  const showUnderCursor = (plot) => {
    const [hours, said, answered] = series();
    const index = plot.cursor.idx;
    box.dataset.hint =
      index == null || hours[index] === undefined
        ? ""
        : `${clock(hours[index])} · ${said[index]} from people · ${answered[index]} from characters`;
  };

  const bars = (fill) => ({ fill, stroke: fill, width: 0, paths: uPlot.paths.bars({ size: [0.62, 34], radius: 0.18 }), points: { show: false } });

  const options = () => {
    const axis = { stroke: colour("--soft"), font: "12px system-ui, sans-serif", ticks: { show: false }, border: { show: false } };
    const hours = series()[0];
    return {
      width: box.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      scales: {
        x: { time: true, range: () => [hours[0] - 2400, hours.at(-1) + 2400] },
        y: { range: (_, __, most) => [0, Math.max(4, most * 1.1)] },
      },
      axes: [
        { ...axis, grid: { show: false }, size: 30, space: 70, values: (_, ticks) => ticks.map(clock) },
        { ...axis, grid: { stroke: colour("--line"), width: 1 }, size: 52, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 50000, 100000] },
      ],
      series: [{}, bars(colour("--characters")), bars(colour("--people"))],
      hooks: { setCursor: [showUnderCursor] },
    };
  };

  const draw = () => {
    chart?.destroy();
    chart = new uPlot(options(), stacked(series()), box);
  };

  const tell = (isLate) => {
    live.classList.toggle("late", isLate);
    const moment = new Date(answeredAt).toLocaleTimeString();
    live.lastElementChild.textContent = isLate ? `no answer since ${moment}, trying again` : `live · ${moment}`;
  };

  document.addEventListener("htmx:after:swap", () => {
    const taken = document.getElementById("chart-data").dataset.takenAt;
    if (taken !== box.dataset.takenAt) {
      box.dataset.takenAt = taken;
      answeredAt = Date.now();
      if (series()[0][0] === chart.data[0][0]) chart.setData(stacked(series()));
      else draw();
    }
    tell(false);
  });

  // A page that nobody sees asks nothing.
  document.addEventListener("htmx:before:request", (event) => {
    if (document.hidden) event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) answeredAt = Math.max(answeredAt, Date.now() - LATE_AFTER / 2);
  });

  // Not even a proxy's error page may take the place of the figures.
  document.addEventListener("htmx:before:swap", (event) => {
    if ((event.detail?.ctx?.response?.status ?? 200) >= 400) event.preventDefault();
  });

  setInterval(() => !document.hidden && Date.now() - answeredAt > LATE_AFTER && tell(true), 1000);
  addEventListener("resize", () => chart.setSize({ width: box.clientWidth, height: HEIGHT }));
  document.addEventListener("vitte:theme", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  box.dataset.takenAt = document.getElementById("chart-data").dataset.takenAt;
  draw();
  tell(false);
}
