/** Hours of the day, local time: from the first up to and without the second, past midnight when it is the lesser. */
export interface Hours {
  readonly from: number;
  readonly until: number;
}

export function isWithin({ from, until }: Hours, hour: number): boolean {
  return from < until ? hour >= from && hour < until : hour >= from || hour < until;
}
