/** A number on the command line, within bounds. */
import { InvalidArgumentError } from 'commander';

/** For `option`. @throws InvalidArgumentError */
export function numberBetween(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value) || value < minimum || value > maximum)
      throw new InvalidArgumentError(`Write a number from ${minimum} to ${maximum}.`);
    return value;
  };
}
