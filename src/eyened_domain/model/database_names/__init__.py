"""The names that fields have in the database, as type checkers see them: one module for each.

`Patient.PatientIdentifier` is of the type of `Patient.patient_identifier`, in queries and on
objects. At run time these classes are empty; `other_names.DatabaseName` does the work.
"""
