// Torture
