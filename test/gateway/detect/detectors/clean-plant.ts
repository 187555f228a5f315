const SEASONS_MS = [86_400_000, 28_800_000, 3_600_000, 600_000, 45_000];

/**
 * A sensor in order, as a function that gives its next value, every `stepMs`: a season of minutes, hours or a day, noise, for some a slow wander,
 * and the rounding of a transmitter.
 */
export function cleanSensor(random: () => number, stepMs: number): () => number {
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const base = 10 ** (random() * 3);
  const swing = base * (0.02 + 0.2 * random());
  const noise = base * 10 ** (-1.3 - 1.5 * random());
  const wander = random() < 0.5 ? noise * (1 + 3 * random()) : 0;
  const seasonMs = SEASONS_MS[Math.floor(random() * SEASONS_MS.length)]!;
  const phase = random();
  const keep = Math.exp(-stepMs / 600_000);
  const decimals = 10 ** Math.floor(1 + random() * 3);
  let strayed = 0;
  let i = 0;
  return () => {
    strayed = keep * strayed + wander * Math.sqrt(1 - keep * keep) * normal();
    const value = base + swing * Math.sin(2 * Math.PI * ((i * stepMs) / seasonMs + phase)) + strayed + noise * normal();
    i++;
    return Math.round(value * decimals) / decimals;
  };
}
