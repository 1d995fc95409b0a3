/** Gives each different text a number, from 0 in the order in which they first came up. */
export class Names {
  private readonly numbers = new Map<string, number>();
  private readonly texts: string[] = [];
  private lastText: string | null = null;
  private lastNumber = -1;

  get count(): number {
    return this.texts.length;
  }

  numberOf(text: string): number {
    // The same name tends to come many times in a row.
    if (text === this.lastText) return this.lastNumber;
    let number = this.numbers.get(text);
    if (number === undefined) {
      number = this.texts.length;
      this.numbers.set(text, number);
      this.texts.push(text);
    }
    this.lastText = text;
    this.lastNumber = number;
    return number;
  }

  textOf(number: number): string {
    return this.texts[number] as string;
  }
}
