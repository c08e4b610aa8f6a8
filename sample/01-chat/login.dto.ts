import { Length } from 'class-validator';
import { Trim } from './trim.decorator.js';

export class Login {
  @Trim()
  @Length(1, 32, { message: 'name must be a text of $constraint1 to $constraint2 characters' })
  readonly name: string = '';
}
