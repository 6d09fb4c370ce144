import * as echarts from "echarts";

/** A line or a group of bars of one contender. */
export interface Series {
  readonly title: string;
  readonly color: string;
  readonly symbol: "circle" | "rect" | "triangle" | "diamond" | "emptyCircle" | "emptyTriangle";
  readonly points: readonly (readonly [number | string, number])[];
}

export interface Chart {
  readonly file: string;
  readonly title: string;
  readonly type: "line" | "bar";
  readonly x: { readonly title: string; readonly type: "category" | "value" | "log" };
  readonly y: { readonly title: string; readonly max?: number };
  readonly series: readonly Series[];
}

const WIDTH = 900;
const HEIGHT = 420;
const INK = "#24292f";
const FAINT = "#d0d7de";

/** An SVG on white, so that it can be read on a dark page as well. */
export function svgOf({ title, type, x, y, series }: Chart): string {
  const chart = echarts.init(null, null, {
    renderer: "svg",
    ssr: true,
    width: WIDTH,
    height: HEIGHT,
  });
  const axis = {
    nameTextStyle: { color: INK },
    axisLabel: { color: INK },
    axisLine: { show: true, lineStyle: { color: INK } },
    splitLine: { lineStyle: { color: FAINT } },
  };
  chart.setOption({
    animation: false,
    backgroundColor: "#ffffff",
    textStyle: { fontFamily: "sans-serif" },
    title: { text: title, left: "center", top: 10, textStyle: { fontSize: 15, color: INK } },
    // Wide apart: how wide a text is depends on the reader's fonts.
    legend: { bottom: 8, itemGap: 28, itemWidth: 20, textStyle: { color: INK, fontSize: 12 } },
    grid: { left: 70, right: 30, top: 60, bottom: 90 },
    xAxis: {
      ...axis,
      type: x.type,
      name: x.title,
      nameLocation: "middle",
      nameGap: 30,
      ...(x.type === "category" ? {} : { splitLine: { show: false } }),
    },
    yAxis: {
      ...axis,
      type: "value",
      name: y.title,
      nameLocation: "end",
      nameTextStyle: { color: INK, align: "left", padding: [0, 0, 0, -60] },
      min: 0,
      ...(y.max === undefined ? {} : { max: y.max }),
    },
    series: series.map(({ title, color, symbol, points }) => ({
      type,
      name: title,
      data: points.map((point) => [...point]),
      symbol,
      symbolSize: points.length > 30 ? 0 : 9,
      itemStyle: { color },
      lineStyle: { color, width: 2 },
      ...(type === "bar"
        ? { label: { show: true, position: "top", color: INK, fontSize: 10, formatter: labelOf } }
        : {}),
    })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${svg}\n`;
}

function labelOf({ value }: { readonly value?: unknown }): string {
  const number = Array.isArray(value) ? Number(value[1]) : Number(value);
  return number >= 100 ? number.toFixed(0) : number.toPrecision(2);
}
