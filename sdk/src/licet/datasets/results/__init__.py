"""What a job leaves beside its output: columns of decisions and a signed manifest; read again, verified, compared."""
